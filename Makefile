# Two commands do everything: `make campaign` runs the main job on the embedded twin, `make test` passes the tests.
.DEFAULT_GOAL := help
.PHONY: help campaign lab notebooks check test bench system clean

BIN := .venv/bin
READY := .venv/.ready
READY_DEV := .venv/.ready-dev
ARGS ?=
# Tests of one file run one after the other; files run side by side.
WORKERS ?= 2

help: ## Say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | awk -F: '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	@.ci/environment lab,links
	@touch $@

$(READY_DEV): $(READY)
	@.ci/environment lab,links,dev
	@touch $@

campaign: $(READY) ## Validate the simulated site and leave a run folder (ARGS="--strict" and the like)
	@$(BIN)/v2glab campaign $(ARGS)

lab: $(READY) ## Open JupyterLab on the notebooks
	@$(BIN)/jupyter lab --notebook-dir=notebooks --ip=127.0.0.1 $(ARGS)

notebooks: $(READY) ## Run every notebook on the twin and store its outputs
	@$(BIN)/python -m v2glab.campaigns.refresh notebooks

check: $(READY_DEV) ## Lint, types, import contracts, notebook rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/notebooks/rules.py notebooks

system: ## Install the Debian packages that tests use, when this user may
	@.ci/system

test: system check ## Everything: check, unit and system tests, notebooks
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile -p no:cacheprovider --nbval --nbval-current-env --nbval-sanitize-with tests/notebooks/nbval.cfg notebooks

bench: $(READY_DEV) ## Measure speed; one JSON object a line
	@for file in tests/benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

clean: ## Remove the environment and caches; runs are kept
	rm -rf .venv .venv-interop .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

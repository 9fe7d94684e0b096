"""Price the same cars, prices and tariff under several rule books."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from v2glab.barriers import (
    BarrierEvidence,
    Estimate,
    RuleBook,
    apply_evidence,
    bootstrap,
    load_catalogue,
    load_rule_books,
)
from v2glab.evidence import InputError, Quantity, Result
from v2glab.procedures._analyse_barriers_caveats import caveats
from v2glab.procedures._analyse_barriers_findings import refuse_unsourced
from v2glab.procedures._analyse_barriers_inputs import Inputs, gather, run_facts
from v2glab.procedures._analyse_barriers_pricing import Priced, price
from v2glab.procedures._analyse_barriers_tables import evidence_table
from v2glab.procedures._procedure import Context, Procedure
from v2glab.procedures.analyse_barriers import BarrierParameters

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_BOOKS = "de-2025,de-2026,us-ca,uk,au"


class CompareParameters(BarrierParameters):
    """Parameters of the comparison: those of ``analyse_barriers``, but for the rules.

    Attributes
    ----------
    books
        Rule books of ``datasets/barriers/rule_books``, separated by commas.
    rules, add_measured
        Not used: the rule books say which rules hold.
    evidence_run
        What a run measured of the equipment counts in every place; what a book itself says, and what a law
        asks for whatever was measured (such as a second meter), stays.
    """

    books: str = DEFAULT_BOOKS


def execute(context: Context[CompareParameters]) -> Result:
    """Price every vehicle under every set of each book's rules; needs no station."""
    parameters = context.parameters
    books = _books(parameters.books)
    inputs = gather(parameters)
    catalogue = load_catalogue()
    priced: dict[str, Priced] = {}
    own: dict[str, Inputs] = {}
    for number, book in enumerate(books.values()):
        rules = apply_evidence(book.in_force(catalogue), _of_equipment(inputs.evidence, book))
        if parameters.publish:
            refuse_unsourced(list(rules))
        if not rules:
            raise InputError(
                f"rule book {book.id!r}: none of its rules is in force on {book.on}",
                "at least one",
                "leave the book out",
            )
        own[book.id] = replace(inputs, rules=rules)
        priced[book.id] = price(
            own[book.id],
            engine=parameters.engine,
            store=parameters.store,
            draws=0,
            order_pairs=parameters.order_pairs,
            seed=context.seed,
            progress=lambda done, total, before=number: context.progress(  # type: ignore[misc]
                {"time_s": 0.0, "vehicles_done": before * total + done, "vehicles": len(books) * total}
            ),
        )
    table = _books_table(books, own, priced, context.seed)
    first = next(iter(books))
    return Result(
        procedure=PROCEDURE.name,
        start_ns=inputs.market.window.start_s * 1_000_000_000,
        parameters=parameters.model_dump(exclude={"engine", "store", "rules"}),
        quantities=tuple(_quantities(inputs, priced, context.seed)),
        verdicts=(),
        tables={
            "books": table,
            "matrix": _matrix(books, own, priced, context.seed),
            **({"barrier_evidence": evidence_table(inputs)} if inputs.evidence else {}),
        },
        facts={
            "currency": inputs.market.tariff.currency,
            "price_year": ", ".join(inputs.price_years),
            "tariff": inputs.market.tariff.id,
            "vehicles": len(inputs.years),
            "caveats": [
                "Same cars, same prices, same tariff: what differs is the rules, not the market.",
                *(f"{book.name}: {book.note}" for book in books.values() if book.note),
                *_unsourced(own),
                *(c for c in caveats(own[first], priced[first], parameters) if not c.startswith("Not fit")),
            ],
            "evidence_run": run_facts(inputs),
        },
    )


def _of_equipment(evidence: Iterable[BarrierEvidence], book: RuleBook) -> list[BarrierEvidence]:
    return [
        item
        for item in evidence
        if item.barrier not in book.values and item.parameter != "fixed_cost_eur_per_year"
    ]


def _books(names: str) -> dict[str, RuleBook]:
    known = load_rule_books()
    wanted = list(filter(None, (name.strip() for name in names.split(","))))
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted or len(set(wanted)) != len(wanted):
        raise InputError(
            f"rule books {names!r}", f"some of: {', '.join(known)}; each once", "choose among those"
        )
    return {name: known[name] for name in wanted}


def _unsourced(own: dict[str, Inputs]) -> list[str]:
    barriers = load_catalogue().barriers
    names = {name for inputs in own.values() for name in inputs.rules if not barriers[name].sourced}
    return (
        [f"Not fit for publication before a source is read for: {', '.join(sorted(names))}."] if names else []
    )


def _quantities(inputs: Inputs, priced: dict[str, Priced], seed: int) -> Iterable[Quantity]:
    unit = f"{inputs.market.tariff.currency}/a"
    count = len(inputs.years)
    first = next(iter(priced.values()))
    rows = [("value_without_rules", bootstrap(first.attribution.value[0], seed=seed))]
    rows += [
        (f"value_{name.replace('-', '_')}", bootstrap(found.attribution.value[-1], seed=seed))
        for name, found in priced.items()
    ]
    for name, estimate in rows:
        if count < 2:
            yield Quantity(name, estimate.mean, unit, None, "a single vehicle has no spread")
        else:
            yield Quantity(name, estimate.mean, unit, estimate.standard_error, dof=count - 1)


def _books_table(
    books: dict[str, RuleBook], own: dict[str, Inputs], priced: dict[str, Priced], seed: int
) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for name, book in books.items():
        found = priced[name].attribution
        value, lost = bootstrap(found.value[-1], seed=seed), bootstrap(found.total, seed=seed)
        before = float(found.value[0].mean())
        rows.append(
            {
                "jurisdiction": name,
                "name": book.name,
                "on": str(book.on),
                "rules": " ".join(own[name].rules),
                "not_in_force": " ".join(rule for rule in book.rules if rule not in own[name].rules),
                "value": value.mean,
                "value_low": value.low,
                "value_high": value.high,
                "lost": lost.mean,
                "lost_low": lost.low,
                "lost_high": lost.high,
                "lost_share": lost.mean / before if before > 0 else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def _matrix(
    books: dict[str, RuleBook], own: dict[str, Inputs], priced: dict[str, Priced], seed: int
) -> pd.DataFrame:
    """Return one row a jurisdiction and barrier: the Shapley value where it is in force, NaN elsewhere."""
    import pandas as pd

    every = list(dict.fromkeys(rule for book in books.values() for rule in book.rules))
    rows = []
    for name in books:
        found = priced[name].attribution
        shares = dict(zip(found.rules, found.shapley(), strict=True))
        for rule in every:
            estimate = bootstrap(shares[rule], seed=seed) if rule in shares else None
            setting = own[name].rules[rule].value if rule in shares else float("nan")
            rows.append([name, rule, rule in shares, setting, *_numbers(estimate)])
    columns = ["jurisdiction", "rule", "in_force", "setting", "shapley", "shapley_low", "shapley_high"]
    return pd.DataFrame(rows, columns=columns)


def _numbers(estimate: Estimate | None) -> tuple[float, float, float]:
    nothing = (float("nan"),) * 3
    return nothing if estimate is None else (estimate.mean, estimate.low, estimate.high)


PROCEDURE = Procedure(
    name="compare_jurisdictions",
    title="The same cars under several rule books",
    parameters=CompareParameters,
    execute=execute,
    needs_station=False,
)

"""The command line; each command is one module, loaded when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

from v2glab.cli._common import guarded

_ABOUT = "v2glab finds out, with evidence, what stops a site from exporting, and what each barrier costs."

#: Commands in the order of the help text, with one line of help each. The module is ``_<name>``,
#: its attribute ``app`` (a group of commands) or the name itself.
_COMMANDS = {
    "campaign": "Run a whole field validation and leave a run folder with a report.",
    "twin": "Serve the embedded simulated bench over real protocols.",
    "doctor": "Say what this machine has, what is required, and the remedy.",
    "synch": "Synchronise the inverter with the grid, then close the contactor.",
    "export-test": "Discharge to the grid; judge voltage and ride-through.",
    "thermal": "Calibrate thermal limits and current foldback.",
    "diagnose": "Lead from measurements and logs to fault code, cause and remedy.",
    "ride-through": "Say which category had to stay connected in a recorded disturbance.",
    "barriers": "Say which rule stops export, and what each costs.",
    "conformity": "Run the type tests of a grid code on a model, the twin or a station.",
    "gridcodes": "List, show and compare grid codes; draw them side by side.",
    "vehicle": "Be vehicle or charger, read captures, run SLAC, inject faults: every message explained.",
    "instruments": "List, check and read instruments and their profiles.",
    "runs": "List, show and compare finished runs.",
}
#: Served for other processes and other entry points; not part of the help text.
_INTERNAL = ("guardian", "gateway", "inverter")


def run(name: str, arguments: list[str], *, prog_name: str) -> int:
    """Run one command and return its exit code."""
    return guarded(lambda: _invoke(name, arguments, prog_name))


def main() -> None:
    """Entry point of ``v2glab``."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        sys.stdout.write(_help_text())
        sys.exit(0 if arguments else 2)
    if arguments[0] == "--version":
        from v2glab import __version__

        sys.stdout.write(f"v2glab {__version__}\n")
        sys.exit(0)
    if arguments[0] not in (*_COMMANDS, *_INTERNAL):
        sys.stderr.write(
            f"v2glab: command {arguments[0]!r}\n  required: one of: {', '.join(_COMMANDS)}\n"
            "  remedy:   v2glab --help\n"
        )
        sys.exit(2)
    sys.exit(run(arguments[0], arguments[1:], prog_name=f"v2glab {arguments[0]}"))


def synch_main() -> None:
    """Entry point of ``v2g-synch``."""
    sys.exit(run("synch", sys.argv[1:], prog_name="v2g-synch"))


def export_test_main() -> None:
    """Entry point of ``export-test``."""
    sys.exit(run("export-test", sys.argv[1:], prog_name="export-test"))


def inverter_main() -> None:
    """Entry point of ``inverter-cli``."""
    sys.exit(run("inverter", sys.argv[1:], prog_name="inverter-cli"))


def _invoke(name: str, arguments: list[str], prog_name: str) -> object:
    import typer

    function_name = name.replace("-", "_")
    module = import_module(f"v2glab.cli._{function_name}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        app.command(name)(getattr(module, function_name))
    return typer.main.get_command(app).main(arguments, prog_name=prog_name, standalone_mode=False)


def _help_text() -> str:
    width = max(map(len, _COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {text}" for name, text in _COMMANDS.items())
    return (
        f"Usage: v2glab COMMAND [OPTIONS]\n\n{_ABOUT}\n\nCommands:\n{lines}\n\n"
        "  v2glab COMMAND --help shows options and examples.\n\n"
        "Exit codes: 0 done, 1 findings with --strict, 2 wrong usage or input, 3 device not reached,\n"
        "4 stopped into the safe state.\n"
    )

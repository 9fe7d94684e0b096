"""The command line; each command is one module, loaded when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click
import typer

from v2glab.cli._common import guarded

#: Commands in the order of the help text: name, module, function, one line of help.
_COMMANDS = (
    ("campaign", "_campaign", "campaign", "Run a whole field validation and leave a run folder with a report."),
    ("twin", "_twin", "twin", "Serve the embedded simulated bench over real protocols."),
    ("doctor", "_doctor", "doctor", "Say what this machine has, what is required, and the remedy."),
    ("synch", "_synch", "synch", "Synchronise the inverter with the grid, then close the contactor."),
    ("export-test", "_export_test", "export_test", "Discharge to the grid under load and judge voltage and ride-through."),
    ("thermal", "_thermal", "thermal", "Calibrate thermal limits and current foldback."),
    ("diagnose", "_diagnose", "diagnose", "Lead from measurements and logs to fault code, cause and remedy."),
    ("barriers", "_barriers", "app", "Say which rule stops export, and what each costs."),
    ("instruments", "_instruments", "app", "List, check and read instruments and their profiles."),
    ("runs", "_runs", "app", "List, show and compare finished runs."),
)
_HIDDEN = (
    ("guardian", "_guardian", "guardian", "Hold the lease of an energised station."),
    ("gateway", "_gateway", "gateway", "Serve the OCPP gateway."),
)


class _LazyGroup(typer.core.TyperGroup):
    """Finds a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, *_ in _COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for name, module, attribute, text in (*_COMMANDS, *_HIDDEN):
            if name == cmd_name:
                listing = ctx.resilient_parsing or "--help" in sys.argv[1:2] or len(sys.argv) == 1
                return click.Command(name, help=text) if listing else _load(name, module, attribute, text)
        return None


def _load(name: str, module: str, attribute: str, text: str) -> click.Command:
    target = getattr(import_module(f"v2glab.cli.{module}"), attribute)
    app = target
    if not isinstance(target, typer.Typer):
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name)(target)
    command = typer.main.get_command(app)
    command.name = name
    return command


app = typer.Typer(
    cls=_LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="v2glab finds out, with evidence, what stops a site from exporting, and what each barrier costs.",
)


@app.callback()
def _root() -> None:
    pass


def _run(name: str, arguments: list[str]) -> None:
    group = typer.main.get_command(app)
    command: click.Command = group
    if name != "v2glab":
        context = click.Context(group)
        for known, module, attribute, text in _COMMANDS:
            if known == arguments[0]:
                command, arguments = _load(known, module, attribute, text), arguments[1:]
                break
        del context
    sys.exit(guarded(lambda: command.main(arguments, prog_name=name, standalone_mode=False)))


def main() -> None:
    """Entry point of ``v2glab``."""
    _run("v2glab", sys.argv[1:])


def synch_main() -> None:
    """Entry point of ``v2g-synch``."""
    _run("v2g-synch", ["synch", *sys.argv[1:]])


def export_test_main() -> None:
    """Entry point of ``export-test``."""
    _run("export-test", ["export-test", *sys.argv[1:]])


def inverter_main() -> None:
    """Entry point of ``inverter-cli``."""
    _run("inverter-cli", ["inverter", *sys.argv[1:]])

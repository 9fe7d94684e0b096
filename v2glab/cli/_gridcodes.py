"""Grid codes: list, show and compare."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from v2glab.gridcodes import GridCode, Row
    from v2glab.views._gridcodes_plot import Selected

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="List, show and compare grid codes. CODE is a name of 'v2glab gridcodes list', or a file.",
)

Code = Annotated[str, typer.Argument(metavar="CODE", help="Name, or path of a file.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write figures and tables into this HTML file.")]


@app.command("list")
def list_command(*, as_json: Json = False) -> None:
    """List all grid codes, with how many of their limits must be checked against the text.

    Example: v2glab gridcodes list
    """
    from v2glab.gridcodes import list_codes, load_code

    codes = [load_code(name) for name in list_codes()]
    if as_json:
        _print_json([_head(code) for code in codes])
        return
    from v2glab.cli._common import console
    from v2glab.views import rich_codes

    console().print(rich_codes(codes))


@app.command("show")
def show_command(
    code: Code,
    *,
    category: Annotated[str, typer.Option(help="One category only; default: all.")] = "",
    normal: Annotated[str, typer.Option(help="One category of normal operation only.")] = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Show the limits of one code, and what must be checked.

    Example: v2glab gridcodes show ieee1547-2018 --category III
    """
    from v2glab.gridcodes import code_rows

    found = read(code)
    if not normal and category and category.lower() in {name.lower() for name in found.normal}:
        normal = category
    rows = code_rows(found, category or None, normal or None)
    if out:
        from v2glab.views import render_codes, select_code

        _write(out, render_codes([select_code(found, category, normal)]))
    if as_json:
        _print_json({**_head(found), "rows": [asdict(row) for row in rows]})
        return
    from v2glab.cli._common import console
    from v2glab.views import one_line, rich_rows

    print(one_line(f"{found.standard}, {found.edition}: {found.title}"))
    if found.note:
        print(one_line(found.note))
    if rows:
        console().print(rich_rows(rows))
    _say_check(found, rows)
    _say_written(out)


@app.command("compare")
def compare_command(
    first: Annotated[str, typer.Argument(metavar="A", help="Name, or path of a file.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Name, or path of a file.")],
    *,
    category: Annotated[
        list[str] | None,
        typer.Option(help="Category of both, or given twice: of A, then of B; default: each code's own."),
    ] = None,
    normal: Annotated[
        list[str] | None, typer.Option(help="The same for the category of normal operation.")
    ] = None,
    differences: Annotated[bool, typer.Option("--differences", help="Only what differs.")] = False,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Compare two codes limit by limit; --out draws regions, trips, characteristics and droop side by side.

    Examples:

      v2glab gridcodes compare ieee1547-2018 ca-rule21 --category III --out compare.html

      v2glab gridcodes compare ieee1547-2018 ieee1547-2018 --category I --category III
    """
    from v2glab.gridcodes import compare_rows, unverified
    from v2glab.views import rich_pairs, selected_rows

    pair = _pair(first, second, category or [], normal or [])
    rows = [selected_rows(selected) for selected in pair]
    pairs = [p for p in compare_rows(*rows) if p.differs or not differences]
    if out:
        from v2glab.views import render_codes

        _write(out, render_codes(pair))
    if as_json:
        _print_json([asdict(p) | {"differs": p.differs, "unverified": p.unverified} for p in pairs])
        return
    from v2glab.cli._common import console

    labels = [selected.label for selected in pair]
    console().print(rich_pairs(pairs, labels[0], labels[1]))
    print(f"{sum(p.differs for p in pairs)} differ")
    for label, several in zip(labels, rows, strict=True):
        print(f"{label}: {len(unverified(several))} of {len(several)} limits must be checked")
    _say_written(out)


def read(name: str) -> GridCode:
    """Return a code by its name, or from a file.

    Raises
    ------
    InputError
        There is none of that name, or the file is wrong.
    """
    from v2glab.gridcodes import load_code, read_code

    return read_code(Path(name)) if "/" in name or name.endswith(".toml") else load_code(name)


def _pair(first: str, second: str, category: list[str], normal: list[str]) -> list[Selected]:
    from v2glab.evidence import UsageError
    from v2glab.views import select_code

    for given in (category, normal):
        if len(given) > 2:
            raise UsageError(f"{len(given)} categories", "one for both codes, or two", "leave some out")
    out = []
    for position, name in enumerate((first, second)):
        chosen = [given[min(position, len(given) - 1)] if given else "" for given in (category, normal)]
        out.append(select_code(read(name), *chosen))
    return out


def _head(code: GridCode) -> dict[str, Any]:
    from v2glab.gridcodes import code_rows, unverified

    rows = code_rows(code)
    fields = {"id", "title", "standard", "edition", "extends", "note"}
    fields |= {"nominal_frequency_hz", "nominal_voltage_v"}
    counts = {"limits": len(rows), "unverified": len(unverified(rows))}
    names = {"categories": list(code.categories), "normal_categories": list(code.normal)}
    return {**code.model_dump(include=fields), **names, **counts}


def _say_check(code: GridCode, rows: tuple[Row, ...]) -> None:
    from v2glab.gridcodes import unverified
    from v2glab.views import one_line

    open_ = unverified(rows)
    if not rows:
        print("no limit is transcribed: nothing can be judged by this")
    elif not open_:
        print("no limit shown here must be checked")
    else:
        print(f"must be checked against the text, {len(open_)} of {len(rows)} limits of {code.id}:")
    for row in open_:
        what = " ".join(part for part in (row.category, row.name) if part)
        print(f"  {one_line(f'{row.standard} {row.clause}: {what}, {row.value}')}")


def _write(path: Path, page: str) -> None:
    from v2glab.evidence import write_atomic

    write_atomic(path, page.encode("utf-8"))


def _say_written(out: Path | None) -> None:
    if out:
        print(f"written: {out}")


def _print_json(document: object) -> None:
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")

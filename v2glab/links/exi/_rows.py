"""One row of a message table: text in, parts out (see ``datasets/iso15118/messages/README.md``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from v2glab.evidence import InputError
from v2glab.links.exi._model import Kind, Value

_ROW = re.compile(
    r"(?P<sign>[=@<$|*#!]?)(?P<name>[\w.-]*)"
    r"(?:(?P<optional>\?)|\{(?P<low>\d+),(?P<high>\d*)\})?(?: (?P<type>[\w.-]+))?"
)
_VALUE = re.compile(r"(?P<base>\w+)(?: (?P<low>-?\d+)?\.\.(?P<high>-?\d+)?)?")
#: Built-in types of XML Schema that the tables use, with the bounds that the type itself sets.
BUILT_IN: dict[str, Value] = {
    "boolean": Value("boolean"),
    "string": Value("string"),
    "hexBinary": Value("hexBinary"),
    "base64Binary": Value("base64Binary"),
    "integer": Value("integer"),
    "byte": Value("integer", -(2**7), 2**7 - 1),
    "short": Value("integer", -(2**15), 2**15 - 1),
    "int": Value("integer", -(2**31), 2**31 - 1),
    "long": Value("integer", -(2**63), 2**63 - 1),
    "unsignedByte": Value("integer", 0, 2**8 - 1),
    "unsignedShort": Value("integer", 0, 2**16 - 1),
    "unsignedInt": Value("integer", 0, 2**32 - 1),
    "unsignedLong": Value("integer", 0, 2**64 - 1),
}
_SIGNS: dict[str, RowKind] = {
    "": "element", "=": "element", "*": "element", "@": "attribute", "<": "base",
    "$": "text", "#": "mixed", "!": "opaque", "|": "choice",
}  # fmt: skip
RowKind = Literal["element", "attribute", "base", "text", "mixed", "opaque", "choice"]


@dataclass(frozen=True)
class Row:
    """One row: what it declares, how often, and of what type."""

    kind: RowKind
    name: str = ""
    type_name: str = ""
    low: int = 1
    high: int | None = 1
    reference: bool = False
    wildcard: bool = False
    options: tuple[Row, ...] = ()


def read_row(text: str | list[str]) -> Row:
    """Read one row; a list is a choice whose first item says how often.

    Raises
    ------
    InputError
        It is no row.
    """
    if isinstance(text, list):
        head = read_row(text[0])
        return Row("choice", low=head.low, high=head.high, options=tuple(map(read_row, text[1:])))
    match = _ROW.fullmatch(text)
    if match is None:
        raise InputError(f"row {text!r} in a message table", "a row as README.md describes", "mend the table")
    sign, name, type_name = match["sign"], match["name"], match["type"] or ""
    low, high = 1, 1
    if match["optional"]:
        low = 0
    elif match["low"]:
        low, high = int(match["low"]), int(match["high"]) if match["high"] else None  # type: ignore[assignment]
    kind = _SIGNS[sign]
    if kind in ("base", "text"):
        name, type_name = "", name
    return Row(kind, name, type_name, low, high, reference=sign == "=", wildcard=sign == "*")


def read_value(text: str | list[str]) -> Value:
    """Read a simple type: a list of names, or a built-in type with an optional range.

    Raises
    ------
    InputError
        The text is no such type.
    """
    if isinstance(text, list):
        return Value("choice", names=tuple(text))
    match = _VALUE.fullmatch(text)
    if match is None or match["base"] not in BUILT_IN:
        raise InputError(f"value {text!r} in a message table", "a type and a range", "mend the table")
    base = BUILT_IN[match["base"]]
    low = int(match["low"]) if match["low"] else base.low
    high = int(match["high"]) if match["high"] else base.high
    kind: Kind = base.kind
    return Value(kind, low, high)

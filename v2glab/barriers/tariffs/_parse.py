"""Read a rate of the Utility Rate Database from JSON; whatever could change the bill and is not billed is
refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from v2glab.barriers.tariffs._rate import Rate
from v2glab.evidence import InputError

#: No rate of the database comes near; larger files are a mistake.
_MOST_CHARACTERS = 5_000_000
#: Carry no price: who, where, when, and for whom.
_INFORMATION = frozenset(
    {
        *("uri", "country", "sourceparent", "revisions", "approved", "is_default"),
        *("startdate", "enddate", "supercedes", "supersedes", "eiaid", "eia", "sector", "servicetype"),
        *("voltageminimum", "voltagemaximum", "voltagecategory", "phasewiring", "fixedchargeeaaddl"),
        *("peakkwcapacitymin", "peakkwcapacitymax", "peakkwcapacityhistory"),
        *("peakkwhusagemin", "peakkwhusagemax", "peakkwhusagehistory"),
    }
)
#: Free text: may hold conditions that no field holds. Kept, and shown with every bill.
_TEXTS = (
    "description",
    "basicinformationcomments",
    "energycomments",
    "demandcomments",
    "energyattrs",
    "demandattrs",
    "fixedattrs",
)
#: Would change the bill; refused unless empty.
_REFUSED = {
    "coincidentratestructure": "coincident peaks need the utility's peak hours, which the file does not hold",
    "coincidentrateschedule": "coincident peaks need the utility's peak hours, which the file does not hold",
    "coincidentrateunit": "coincident peaks need the utility's peak hours, which the file does not hold",
    "demandreactivepowercharge": "reactive energy is not metered here",
    "demandratchetpercentage": "a ratchet without its look-back; version 8 gives lookbackpercent, "
    "lookbackrange and lookbackmonths",
}


def parse_rate(text: str, where: str, *, label: str = "", currency: str = "") -> Rate:
    """Parse a response of the database: one rate, or ``{"items": […]}``, also as JSON within a JSON string.

    Parameters
    ----------
    text, where
        The file's text, and its name for messages.
    label
        Which rate to take when there are several.
    currency
        ISO 4217; needed unless the file states ``currency`` (this project's own key) or the country is USA.

    Raises
    ------
    InputError
        Not JSON, not one rate, an unknown key, a wrong value, or a charge that is not billed; with the key.
    """
    document = _pick(_load(text, where), label, where)
    given = document.get("currency", "USD" if document.get("country") == "USA" else "")
    if currency and given and currency != given:
        raise InputError(f"{where}: in {given}, asked for {currency}", "one currency", "name the right one")
    if not (given or currency):
        raise InputError(
            f"{where}: no currency; '$' does not tell which dollar",
            "an ISO 4217 code",
            'add "currency": "USD" (or the right one) to the file',
        )
    fields = {key: value for key, value in document.items() if _kept(key, value, where)}
    fields["texts"] = tuple((k, str(document[k])) for k in _TEXTS if document.get(k))
    fields["currency"] = given or currency
    try:
        return Rate.model_validate(fields)
    except ValidationError as error:
        faults = "; ".join(f"{_path(e['loc'])}{e['msg']}" for e in error.errors()[:5])
        raise InputError(f"{where}: {faults}", "a rate of OpenEI URDB, v7 or v8", "mend the entry") from error


def _kept(key: str, value: object, where: str) -> bool:
    """Say whether a key carries price; refuse one that would change the bill unseen."""
    if key in _INFORMATION or key in _TEXTS or key in ("currency", "texts"):
        if key == "texts":
            raise InputError(f"{where}: unknown key 'texts'", "keys of OpenEI URDB", "remove it")
        return False
    if key in _REFUSED:
        if _empty(value):
            return False
        raise InputError(
            f"{where}: {key} is given; {_REFUSED[key]}",
            "charges that can be billed",
            "take another rate, or remove the key and say that this charge is left out",
        )
    if key not in Rate.model_fields:
        raise InputError(
            f"{where}: unknown key {key[:80]!r}",
            "keys of OpenEI URDB, v7 or v8",
            "remove it if it holds no price",
        )
    return value is not None


def _empty(value: object) -> bool:
    if isinstance(value, list):
        return all(_empty(item) for item in value)
    if isinstance(value, Mapping):
        return all(_empty(value.get(key)) for key in ("rate", "adj"))
    return value in (None, 0, "", "kW")


def _load(text: str, where: str) -> object:
    document: object = text
    for _ in range(2):  # stored responses are at times a JSON string that holds the JSON
        if isinstance(document, str):
            document = _json(document, where)
    return document


def _json(text: str, where: str) -> object:
    if len(text) > _MOST_CHARACTERS:
        raise InputError(
            f"{where}: {len(text)} characters", f"at most {_MOST_CHARACTERS}", "give one rate, not a database"
        )

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"key {twice[0][:80]!r} stands twice")
        return dict(pairs)

    def no_constant(name: str) -> float:
        raise ValueError(f"{name} is no JSON number")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: not JSON ({str(error)[:120]})", "a response of OpenEI URDB", "mend the file"
        ) from error


def _pick(document: object, label: str, where: str) -> dict[str, Any]:
    items = document.get("items") if isinstance(document, dict) and "items" in document else document
    found = items if isinstance(items, list) else [items]
    rates = [rate for rate in found if isinstance(rate, dict)]
    if not rates or len(rates) != len(found):
        raise InputError(f"{where}: no rate", 'an object, or {"items": [one object]}', "mend the file")
    chosen = [rate for rate in rates if not label or rate.get("label") == label]
    if len(chosen) != 1:
        names = ", ".join(str(rate.get("label", "?"))[:40] for rate in rates[:10])
        raise InputError(
            f"{where}: {len(chosen)} of {len(rates)} rates are meant; labels {names}",
            "one",
            "keep one in the file",
        )
    return dict(chosen[0])


def _path(loc: tuple[int | str, ...]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return f"{path.removeprefix('.')}: " if path else ""

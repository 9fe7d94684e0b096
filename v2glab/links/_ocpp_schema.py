"""Payloads of OCPP 2.0.1 against the published schemas, as the package ``ocpp`` carries them."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from v2glab.evidence import UsageError
from v2glab.links._ocpp_frame import ErrorCode, FrameError

Part = Literal["Request", "Response"]
SUBPROTOCOL = "ocpp2.0.1"

#: Which error code a broken keyword of the schema leads to (OCPP 2.0.1, part 4, clause 4.3).
_CODES = {
    "Type": ErrorCode.TYPE_CONSTRAINT,
    "Required": ErrorCode.OCCURRENCE_CONSTRAINT,
    "MinItems": ErrorCode.OCCURRENCE_CONSTRAINT,
    "MaxItems": ErrorCode.OCCURRENCE_CONSTRAINT,
    "AdditionalProperties": ErrorCode.FORMAT_VIOLATION,
}
_LONGEST_REASON = 160


def known_actions() -> frozenset[str]:
    """Return the actions that OCPP 2.0.1 has.

    Raises
    ------
    UsageError
        The package that carries the schemas is not installed.
    """
    return _actions()


def check_payload(action: str, part: Part, payload: dict[str, Any], message_id: str) -> None:
    """Check one payload.

    Raises
    ------
    FrameError
        The action is unknown, or the payload does not fit; the code says how.
    """
    answerable = part == "Request"
    if action not in _actions():
        raise FrameError(
            ErrorCode.NOT_IMPLEMENTED,
            f"no action {action[:50]!r} in OCPP 2.0.1",
            message_id,
            answerable=answerable,
        )
    try:
        found = next(iter(_validator(action, part).iter_errors(payload)), None)
    except (ValueError, TypeError, UnicodeError) as error:
        raise FrameError(
            ErrorCode.FORMAT_VIOLATION, f"{action}{part}: {error}", message_id, answerable=answerable
        ) from error
    if found is None:
        return
    code = _CODES.get(type(found.kind).__name__, ErrorCode.PROPERTY_CONSTRAINT)
    place = "/".join(map(str, found.instance_path)) or "top"
    reason = f"{action}{part}, at {place}: {found.message[:_LONGEST_REASON]}"
    raise FrameError(code, reason, message_id, answerable=answerable)


@lru_cache(maxsize=1)
def _folder() -> Path:
    spec = find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("no package 'ocpp'", "the extra 'links'", "pip install 'v2glab[links]'")
    return Path(spec.submodule_search_locations[0]) / "v201" / "schemas"


@lru_cache(maxsize=1)
def _actions() -> frozenset[str]:
    return frozenset(p.stem.removesuffix("Request") for p in _folder().glob("*Request.json"))


@lru_cache(maxsize=256)
def _validator(action: str, part: Part) -> Any:  # noqa: ANN401 -- jsonschema_rs is imported late
    import jsonschema_rs

    # Some of the published files begin with a byte order mark.
    text = (_folder() / f"{action}{part}.json").read_text(encoding="utf-8-sig")
    return jsonschema_rs.validator_for(json.loads(text))

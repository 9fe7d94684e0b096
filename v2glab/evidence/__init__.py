"""The vocabulary that every room shares: quantity, criterion, verdict, result, errors, documents."""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.evidence._criterion import Confidence, Criterion, load_criteria
    from v2glab.evidence._document import (
        VERDICTS_SCHEMA,
        check_document,
        read_verdicts,
        schema,
        verdicts_document,
        write_verdicts,
    )
    from v2glab.evidence._errors import (
        ApprovalError,
        DeviceError,
        ExitCode,
        InputError,
        LimitError,
        SafeStateError,
        StorageError,
        UsageError,
        V2GError,
    )
    from v2glab.evidence._files import write_atomic, write_json
    from v2glab.evidence._quantity import Quantity, coverage_factor
    from v2glab.evidence._recorder import Direction, NullRecorder, Recorder
    from v2glab.evidence._result import Result
    from v2glab.evidence._storing import storing
    from v2glab.evidence._toml import read_toml
    from v2glab.evidence._verdict import Outcome, Verdict, judge, not_applicable

_HOMES = {
    "_criterion": ["Confidence", "Criterion", "load_criteria"],
    "_document": [
        "VERDICTS_SCHEMA",
        "check_document",
        "read_verdicts",
        "schema",
        "verdicts_document",
        "write_verdicts",
    ],
    "_errors": [
        "ApprovalError",
        "DeviceError",
        "ExitCode",
        "InputError",
        "LimitError",
        "SafeStateError",
        "StorageError",
        "UsageError",
        "V2GError",
    ],
    "_files": ["write_atomic", "write_json"],
    "_quantity": ["Quantity", "coverage_factor"],
    "_recorder": ["Direction", "NullRecorder", "Recorder"],
    "_result": ["Result"],
    "_storing": ["storing"],
    "_toml": ["read_toml"],
    "_verdict": ["Outcome", "Verdict", "judge", "not_applicable"],
}

__all__ = [
    "VERDICTS_SCHEMA",
    "ApprovalError",
    "Confidence",
    "Criterion",
    "DeviceError",
    "Direction",
    "ExitCode",
    "InputError",
    "LimitError",
    "NullRecorder",
    "Outcome",
    "Quantity",
    "Recorder",
    "Result",
    "SafeStateError",
    "StorageError",
    "UsageError",
    "V2GError",
    "Verdict",
    "check_document",
    "coverage_factor",
    "judge",
    "load_criteria",
    "not_applicable",
    "read_toml",
    "read_verdicts",
    "schema",
    "storing",
    "verdicts_document",
    "write_atomic",
    "write_json",
    "write_verdicts",
]

__getattr__ = lazy_attributes(__name__, _HOMES)

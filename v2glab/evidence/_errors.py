"""The errors of the house: each says what was found, what was required and what to do."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command returns to the shell."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    DEVICE = 3
    SAFE_STATE = 4


class V2GError(Exception):
    """Base of all errors that a user can act on.

    Parameters
    ----------
    found
        What was seen, with value and unit where there is one.
    required
        What would have been right.
    remedy
        What to do next.
    """

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, found: str, required: str, remedy: str) -> None:
        super().__init__(found, required, remedy)
        self.found = found
        self.required = required
        self.remedy = remedy

    def __str__(self) -> str:
        return f"found: {self.found}; required: {self.required}; remedy: {self.remedy}"


class InputError(V2GError):
    """A file, frame, setting or parameter is not what it has to be."""


class UsageError(V2GError):
    """A command was called in a way that it does not know."""


class StorageError(V2GError):
    """A record could not be written whole."""


class DeviceError(V2GError):
    """A device, server or port could not be reached, or did not answer as it must."""

    exit_code = ExitCode.DEVICE


class LimitError(V2GError):
    """A set-point lies outside its bounds; it was not sent."""


class SafeStateError(V2GError):
    """Work was stopped and the station was brought into the safe state."""

    exit_code = ExitCode.SAFE_STATE


class ApprovalError(V2GError):
    """A live station would have been energised without explicit approval."""

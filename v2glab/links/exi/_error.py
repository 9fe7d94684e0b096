"""The one error of the EXI codec: what does not fit, in which element, at which bit."""

from v2glab.evidence import InputError


class ExiError(InputError):
    """An EXI document, or a dictionary to be written as one, is not what its message table says.

    Attributes
    ----------
    path
        Names of the elements from the root to the fault, joined by ``/``; empty before the root is known.
    bit
        Position in the document where the faulty part begins, in bits from its first byte; None when a
        dictionary does not fit.
    """

    def __init__(self, fault: str, required: str, path: str = "", bit: int | None = None) -> None:
        place = f" in {path}" if path else ""
        where = f" at bit {bit}" if bit is not None else ""
        super().__init__(
            f"EXI: {fault}{place}{where}",
            required,
            "mend the sender" if bit is not None else "mend the message",
        )
        self.fault, self.path, self.bit = fault, path, bit

    @property
    def element(self) -> str:
        """Name of the innermost element that was being read or written."""
        return self.path.rpartition("/")[2]


class Fault(Exception):  # noqa: N818 -- never leaves this package: becomes an ExiError with its place
    """What a generated function required, and what it found if that is not the value at hand."""

    def __init__(self, required: str, found: str = "") -> None:
        super().__init__(required)
        self.required, self.found = required, found

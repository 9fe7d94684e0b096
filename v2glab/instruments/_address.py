"""Addresses of instruments, as they stand in station files."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from v2glab.evidence import InputError

_TCP = "tcp://HOST:PORT?unit=1"
_RTU = "rtu:///dev/ttyUSB0?baud=9600&unit=1&parity=N"


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """Where a Modbus device is: ``host`` and ``port``, or a serial ``device``; and its number there."""

    unit: int
    host: str = ""
    port: int = 502
    device: str = ""
    baud: int = 9600
    parity: str = "N"
    stop_bits: int = 1


def parse_modbus_address(address: str, default_unit: int) -> ModbusAddress:
    """Read ``tcp://…`` or ``rtu://…``.

    Raises
    ------
    InputError
        The address is not of one of the two forms, or a number in it is out of range.
    """
    try:
        parts = urlsplit(address)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        unit = _number(options.pop("unit", str(default_unit)), 0, 247)
        if parts.scheme == "tcp" and parts.hostname and not options and parts.path in ("", "/"):
            port = 502 if parts.port is None else parts.port
            return ModbusAddress(unit, parts.hostname, _number(str(port), 1, 65535))
        if parts.scheme == "rtu" and parts.path.startswith("/") and not parts.netloc:
            baud = _number(options.pop("baud", "9600"), 300, 4_000_000)
            parity = options.pop("parity", "N").upper()
            stop_bits = _number(options.pop("stop", "1"), 1, 2)
            if parity in ("N", "E", "O") and not options:
                return ModbusAddress(unit, device=parts.path, baud=baud, parity=parity, stop_bits=stop_bits)
    except ValueError as error:
        raise _wrong(address, str(error)) from error
    raise _wrong(address, "not of a known form")


def _number(text: str, low: int, high: int) -> int:
    number = int(text)
    if not low <= number <= high:
        raise ValueError(f"{number} is not within {low} … {high}")
    return number


def _wrong(address: str, why: str) -> InputError:
    if address.startswith("twin:"):
        return InputError(
            f"address {address!r}",
            "the address that the running twin gave out",
            "open the station through open_station('twin'), which fills it in",
        )
    return InputError(f"address {address!r}: {why}", f"{_TCP} or {_RTU}", "correct the station file")

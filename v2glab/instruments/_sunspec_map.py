"""SunSpec devices: find the models, and reach their points through pysunspec2's definitions."""

from __future__ import annotations

import re
from typing import Any

from v2glab.evidence import DeviceError, InputError
from v2glab.instruments._modbus_link import ModbusLink
from v2glab.instruments._profile import SunSpecSection

#: "SunS" in two registers (SunSpec Device Information Model Specification, 6.3).
_MARK = (0x5375, 0x6E53)
_END = 0xFFFF
_STEP = re.compile(r"^([A-Za-z][A-Za-z0-9_]*)(?:\[(\d{1,4})\])?$")
_MAX_MODELS = 256


class RegisterAccess:
    """What pysunspec2 asks of a device: bytes from and to registers."""

    def __init__(self, link: ModbusLink, max_registers: int) -> None:
        self._link = link
        self._max = max_registers

    def read(self, address: int, count: int) -> bytes:
        """Read registers in as many exchanges as the device needs; two bytes each."""
        words: list[int] = []
        while len(words) < count:
            words += self._link.read(3, address + len(words), min(self._max, int(count) - len(words)))
        return b"".join(word.to_bytes(2, "big") for word in words)

    def write(self, address: int, data: bytes) -> None:
        """Write registers with function 16, the only one that SunSpec makes mandatory."""
        self._link.write(
            address, [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)], multiple=True
        )

    def is_connected(self) -> bool:
        """Whether pysunspec2 may go on without connecting: the wire connects by itself."""
        return True


class SunSpecMap:
    """The models that a device holds, found when first needed."""

    def __init__(self, link: ModbusLink, section: SunSpecSection) -> None:
        self._link = link
        self._section = section
        self._access = RegisterAccess(link, section.max_registers)
        self._models: dict[int, Any] = {}

    def models(self) -> dict[int, Any]:
        """Return pysunspec2 models by number; scans the device when they are not known.

        Raises
        ------
        DeviceError
            The device does not answer, or holds no SunSpec map.
        """
        if not self._models:
            self._models = self._scan()
        return self._models

    def refresh(self, model: int) -> None:
        """Read all points of one model."""
        _guarded(self.models()[model].read, f"model {model}")

    def find(self, point: str) -> Any:  # noqa: ANN401  (pysunspec2 has no types)
        """Return the pysunspec2 point behind a name such as ``704.WSet`` or ``705.Crv[1].DeptRef``.

        Raises
        ------
        InputError
            The device has no such model or point.
        """
        number, _, path = point.partition(".")
        models = self.models()
        if not (number.isdecimal() and int(number) in models and path):
            raise InputError(
                f"point {point!r}",
                f"one of the models that the device has: {', '.join(map(str, models))}",
                "write MODEL.POINT, such as 701.W",
            )
        node = models[int(number)]
        *groups, last = path.split(".")
        for step in groups:
            node = _group(node, step)
        found = node.points.get(last) if node is not None else None
        if found is None:
            raise InputError(
                f"model {number} has no point {path!r}", "a point of that model", "check its spelling"
            )
        return found

    def write(self, point: str, raw: int) -> None:
        """Write one point, before scaling; also inside groups, whose points pysunspec2 cannot write."""
        found = self.find(point)
        data = _guarded(lambda: found.info.to_data(raw, 2 * int(found.len)), point)
        self._access.write(found.model.model_addr + found.offset, data)

    def forget(self) -> None:
        """Scan again when next needed."""
        self._models = {}

    def _scan(self) -> dict[int, Any]:
        tried = []
        for base in self._section.base_addresses:
            try:
                words = self._link.read(3, base, 3)
            except DeviceError as error:
                tried.append(f"{base}: {error.found}")
                if "exception" not in error.found:
                    raise  # silence at one address is silence at all of them
                continue
            if words[:2] == _MARK:
                return self._walk(base + 2)
            tried.append(f"{base}: {words[0]:04x}{words[1]:04x}")
        raise DeviceError(
            f"no SunSpec map ({'; '.join(tried)})",
            "the mark 'SunS' at a base address",
            "check unit number and address, and that SunSpec is enabled on the device",
        )

    def _walk(self, address: int) -> dict[int, Any]:
        models: dict[int, Any] = {}
        for _ in range(_MAX_MODELS):
            if address > 0xFFFE:
                break
            # Identity and length are read apart: some devices have no length after the end mark.
            (number,) = self._link.read(3, address, 1)
            if number == _END:
                return models
            (length,) = self._link.read(3, address + 1, 1)
            if number in self._section.models and number not in models:
                models[number] = self._build(number, address, length)
            address += length + 2
        raise DeviceError("a model list without end", "the end mark 0xFFFF", "check the device's SunSpec map")

    def _build(self, number: int, address: int, length: int) -> Any:  # noqa: ANN401
        from sunspec2.modbus.client import SunSpecModbusClientModel

        def build() -> Any:  # noqa: ANN401
            # Repeating groups are as many as a count in the data says, so the data come first.
            data = self._access.read(address, length + 2)
            _check_counts(number, data)
            return SunSpecModbusClientModel(number, address, length, data=data, mb_device=self._access)

        model = _guarded(build, f"model {number}")
        if model.gdef is None or str(model.error_info).strip():
            raise DeviceError(
                f"model {number} of length {length}: {str(model.error_info).strip() or 'no definition'}",
                "the length that its definition gives",
                "update the device's firmware, or take the model out of the profile",
            )
        return model


def _check_counts(number: int, data: bytes) -> None:
    """Refuse counts of repeating groups that do not give the model's length.

    pysunspec2 lays out as many groups as the counts say before it compares lengths: two counts of 20 000
    would keep it busy for hours.
    """
    from sunspec2.device import get_model_def

    group = get_model_def(number)["group"]
    if not group.get("groups"):
        return
    counts: dict[str, int] = {}
    offset = 0
    for point in group["points"]:
        size = 2 * int(point["size"])
        counts[point["name"]] = int.from_bytes(data[offset : offset + size], "big")
        offset += size
    expected = _laid_out(group, counts)
    if 2 * expected != len(data):
        raise DeviceError(
            f"model {number}: counts ask for {expected - 2} registers, its length is {len(data) // 2 - 2}",
            "a length that fits the counts of its groups",
            "update the device's firmware, or take the model out of the profile",
        )


def _laid_out(group: dict[str, Any], counts: dict[str, int]) -> int:
    """Return the registers that a group takes, counted as the data say."""
    total = sum(int(point["size"]) for point in group["points"])
    for inner in group.get("groups", []):
        count = str(inner.get("count", 1))
        total += (int(count) if count.isdecimal() else counts.get(count, 0)) * _laid_out(inner, counts)
    return total


def _group(node: Any, step: str) -> Any:  # noqa: ANN401
    match = _STEP.match(step)
    found = node.groups.get(match.group(1)) if match and node is not None else None
    if match is None or found is None:
        return None
    if not isinstance(found, list):
        return found
    index = int(match.group(2) or 1)
    return found[index - 1] if 1 <= index <= len(found) else None


def _guarded(action: Any, what: str) -> Any:  # noqa: ANN401
    """Run a call into pysunspec2, which raises all kinds of errors on data that it does not expect."""
    try:
        return action()
    except (DeviceError, InputError):
        raise
    except Exception as error:
        raise DeviceError(
            f"{what} cannot be read ({type(error).__name__}: {error})",
            "data that keep to the model's definition",
            "compare the device's map with the SunSpec definition",
        ) from error

"""SunSpec: a device whose registers pysunspec2 laid out, and devices that are none."""

import struct

import pytest
from _instrument_peers import modbus_tcp, peer
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import DeviceError, InputError, LimitError
from v2glab.instruments import open_instrument


def model_bytes(number: int, values: dict[str, object]) -> bytes:
    """Lay out a model without repeating groups by the definition of pysunspec2."""
    from sunspec2.device import get_model_def

    data = group_bytes(get_model_def(number)["group"], values)
    return struct.pack(">HH", number, len(data) // 2 - 2) + data[4:]


def group_bytes(group: dict, values: dict[str, object]) -> bytes:  # type: ignore[type-arg]
    from sunspec2 import mb

    data = b""
    for point in group["points"]:
        size, kind = 2 * int(point["size"]), point["type"]
        value = values.get(point["name"])
        unset = b"\0" * size if kind in ("string", "pad") else mb.create_unimpl_value(kind, len=size)
        data += unset if value is None else mb.point_type_info[kind].to_data(value, size)
    return data + b"".join(group_bytes(inner, {}) for inner in group.get("groups", []))


class Inverter:
    """Holds registers from a base address; functions 3 and 16 only."""

    def __init__(self, image: bytes, base: int = 40000) -> None:
        self.image, self.base = bytearray(image), base

    def __call__(self, request: bytes) -> bytes:
        function, address, count = struct.unpack_from(">BHH", request, 7)
        start, length = 2 * (address - self.base), 2 * count
        if start < 0 or start + length > len(self.image):
            return modbus_tcp(request, bytes((function | 0x80, 2)))
        if function == 3:
            return modbus_tcp(request, bytes((3, length)) + bytes(self.image[start : start + length]))
        if function == 16:
            self.image[start : start + length] = request[13 : 13 + length]
            return modbus_tcp(request, request[7:12])
        return modbus_tcp(request, bytes((function | 0x80, 1)))


def image(*models: bytes) -> bytes:
    return b"SunS" + b"".join(models) + b"\xff\xff"


COMMON = model_bytes(1, {"Mn": "v2glab", "Md": "twin", "Vr": "1", "SN": "7"})
MEASURED = model_bytes(
    701,
    {"W": -1234, "W_SF": 1, "Hz": 60012, "Hz_SF": -3, "LNV": 2770, "V_SF": -1, "TmpAmb": 215, "Tmp_SF": -1},
)


@pytest.mark.parametrize("base", [40000, 50000, 0])
def test_points_carry_scale_factor_and_unit(base: int) -> None:
    with peer(Inverter(image(COMMON, MEASURED), base)) as device:
        inverter = open_instrument("inverter", "sunspec_inverter", f"tcp://127.0.0.1:{device.port}")
        assert inverter.identify() == "v2glab twin 1 7"
        seen = inverter.read("701.W", "701.Hz", "701.LNV", "701.TmpAmb")
        assert [(q.value, q.unit) for q in seen.values()] == [
            (-12340, "W"), (60.012, "Hz"), (277.0, "V"), (21.5, "degC"),
        ]  # fmt: skip
        assert {"701.W", "701.Hz"} <= set(inverter.points())
        assert "701.VAR" not in inverter.points() and "701.Var" not in inverter.points()


def test_scan_and_reads_byte_for_byte() -> None:
    with peer(Inverter(image(COMMON, MEASURED))) as device:
        inverter = open_instrument("inverter", "sunspec_inverter", f"tcp://127.0.0.1:{device.port}")
        inverter.read("701.W")
    asked = [request[7:].hex() for request in device.requests]
    assert asked == [
        "039c400003",  # the mark at 40000
        "039c420001", "039c430001", "039c420044",  # common model: number, length, all of it
        "039c860001", "039c870001", "039c86007d", "039d03001e",  # 701: 155 registers in two exchanges
        "039d210001",  # end mark
        "039c86007b", "039d010020",  # the reading, in the access regions of pysunspec2
    ]  # fmt: skip


def test_settings_are_written_with_function_16_and_read_back() -> None:
    controls = model_bytes(
        704, {"WSetEna": 0, "WSetMod": 1, "WSet": 0, "WSet_SF": 1, "WMaxLimPct": 1000, "WMaxLimPct_SF": -1}
    )
    with peer(Inverter(image(COMMON, controls))) as device:
        inverter = open_instrument("inverter", "sunspec_inverter", f"tcp://127.0.0.1:{device.port}")
        assert inverter.ensure("704.WSet", -22000).value == -22000
        assert inverter.ensure("704.WMaxLimPct", 55.5).value == 55.5
        writes = [request[7:].hex() for request in device.requests if request[7] == 16]
        assert [w[:2] + w[6:] for w in writes] == ["10000204fffff768", "100001020 22b".replace(" ", "")]
        with pytest.raises(LimitError):
            inverter.ensure("704.WMaxLimPct", 7000)
        with pytest.raises(LimitError, match="writable"):
            inverter.ensure("704.WSetRvrtRem", 1)


def test_points_that_are_not_there() -> None:
    with peer(Inverter(image(COMMON, MEASURED))) as device:
        inverter = open_instrument("inverter", "sunspec_inverter", f"tcp://127.0.0.1:{device.port}")
        for point in ("701.Nope", "702.WMaxRtg", "W", "701.", "x.W", "1.Mn", "701.Crv[1].V"):
            with pytest.raises(InputError):
                inverter.read(point)
        with pytest.raises(DeviceError, match="not implemented"):
            inverter.read("701.VAR" if "701.VAR" in inverter.points() else "701.Var")


@pytest.mark.parametrize(
    ("registers", "says"),
    [
        (b"Nope" + COMMON, "no SunSpec map"),
        (image(COMMON)[:-2] + b"\xff\xfe\x00\x02" * 2, "exception"),
        (image(COMMON[:2] + struct.pack(">H", 60) + COMMON[4:124]), "model 1 of length 60"),
        (b"SunS" + struct.pack(">HH", 701, 65000), "exception"),
    ],
)
def test_devices_that_break_the_rules(registers: bytes, says: str) -> None:
    with peer(Inverter(registers)) as device:
        inverter = open_instrument("i", "sunspec_inverter", f"tcp://127.0.0.1:{device.port}", timeout_s=0.3)
        with pytest.raises(DeviceError, match=says):
            inverter.read("701.W")


def test_absurd_counts_of_groups_are_refused_at_once() -> None:
    counts = struct.pack(">HHHHHH", 705, 64, 0, 0, 0, 0) + struct.pack(">HH", 20000, 20000)
    with peer(Inverter(image(counts.ljust(132, b"\0")))) as device:
        inverter = open_instrument("i", "sunspec_inverter", f"tcp://127.0.0.1:{device.port}")
        with pytest.raises(DeviceError, match="counts ask for"):
            inverter.points()


def test_points_of_repeating_groups() -> None:
    from sunspec2.device import get_model_def

    group = get_model_def(705)["group"]
    curve = next(g for g in group["groups"] if g["name"] == "Crv")
    pair = curve["groups"][0]
    fixed = group_bytes({"points": group["points"]}, {"NPt": 2, "NCrv": 2, "V_SF": -1, "DeptRef_SF": -2})
    curves = b"".join(
        group_bytes({"points": curve["points"]}, {"ActPt": 2})
        + b"".join(
            group_bytes({"points": pair["points"]}, {"V": 900 + 10 * k + n, "Var": -4400 + n}) for n in (1, 2)
        )
        for k in (1, 2)
    )
    data = struct.pack(">HH", 705, (len(fixed) + len(curves)) // 2 - 2) + fixed[4:] + curves
    with peer(Inverter(image(COMMON, data))) as device:
        inverter = open_instrument("i", "sunspec_inverter", f"tcp://127.0.0.1:{device.port}")
        seen = inverter.read("705.Crv[2].Pt[1].V", "705.Crv[1].Pt[2].Var")
        assert [q.value for q in seen.values()] == [92.1, -43.98]
        assert inverter.ensure("705.Crv[2].Pt[1].V", 95.5).value == 95.5
        with pytest.raises(InputError):
            inverter.read("705.Crv[3].Pt[1].V")


@given(st.binary(max_size=600))
@settings(max_examples=60, deadline=None)
def test_any_registers_give_numbers_or_errors_of_the_house(garbage: bytes) -> None:
    registers = b"SunS" + struct.pack(">HH", 705, 64) + garbage
    with peer(Inverter(registers)) as device:
        inverter = open_instrument("i", "sunspec_inverter", f"tcp://127.0.0.1:{device.port}", timeout_s=0.3)
        try:
            inverter.read()
        except DeviceError as error:
            assert error.remedy
        inverter.close()

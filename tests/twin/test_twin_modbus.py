"""The twin over Modbus TCP: exact bytes, an independent client, and hostile frames."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient
from served_bench import Served, exactly, exchange, serve

CONTACTOR, EXPORT_ENABLE, FEEDBACK, POWER, RUN, TRIM = 0x4001, 0x4002, 0x4003, 0x4004, 0x4009, 0x4006


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = serve(tmp_path_factory.mktemp("twin"))
    yield served
    served.stop()


@pytest.fixture
def client(twin: Served) -> Iterator[ModbusTcpClient]:
    host, port = twin.modbus
    with ModbusTcpClient(host, port=port, timeout=2) as connected:
        yield connected


def test_read_is_answered_with_exactly_these_bytes(twin: Served) -> None:
    # Export Enable, one register, unit 1: transaction, protocol 0, length, unit, function, bytes, value 1.
    request = bytes.fromhex("abcd 0000 0006 01 03 4002 0001".replace(" ", ""))
    assert exchange(twin.modbus, request) == bytes.fromhex("abcd00000005" + "01" + "03" + "02" + "0001")


def test_write_is_echoed_and_read_back(twin: Served, client: ModbusTcpClient) -> None:
    # Frequency trim −0.25 Hz as two registers: −250 thousandths.
    request = struct.pack(">HHHBBHHBi", 7, 0, 11, 1, 16, TRIM, 2, 4, -250)
    assert exchange(twin.modbus, request) == struct.pack(">HHHBBHH", 7, 0, 6, 1, 16, TRIM, 2)
    registers = client.read_holding_registers(TRIM, count=2, device_id=1).registers
    assert client.convert_from_registers(registers, client.DATATYPE.INT32) == -250
    client.write_registers(TRIM, [0, 0], device_id=1)


def test_meter_speaks_its_profile(twin: Served, client: ModbusTcpClient) -> None:
    # Eastron SDM630: input registers, IEEE 754, high word first; 0 is phase a, 70 the frequency.
    volts = client.read_input_registers(0, count=6, device_id=2).registers
    state = twin.rpc("plant.state")
    for k in range(3):
        expected = state["voltage_v"][k]
        value = client.convert_from_registers(volts[2 * k : 2 * k + 2], client.DATATYPE.FLOAT32)
        assert value == pytest.approx(expected, rel=1e-6)
    hertz = client.read_input_registers(70, count=2, device_id=2).registers
    assert client.convert_from_registers(hertz, client.DATATYPE.FLOAT32) == pytest.approx(60.02, abs=1e-3)


def test_one_exchange_moves_contactor_and_power(twin: Served, client: ModbusTcpClient) -> None:
    assert not client.write_register(CONTACTOR, 1, device_id=1).isError()
    assert client.read_holding_registers(FEEDBACK, count=1, device_id=1).registers == [0]
    twin.rpc("clock.advance", duration_s=0.05)
    assert client.read_holding_registers(CONTACTOR, count=3, device_id=1).registers == [1, 1, 1]
    assert not client.write_register(CONTACTOR, 0, device_id=1).isError()
    assert client.read_holding_registers(FEEDBACK, count=1, device_id=1).registers == [0]


@pytest.mark.parametrize(
    ("unit", "pdu", "answer"),
    [
        (1, "41", "c101"),  # a function that it does not have
        (1, "03 4002 0000", "8303"),  # no register at all
        (1, "03 4002 007e", "8303"),  # 126 registers
        (1, "03 ffff 0002", "8302"),  # beyond the end
        (1, "03 0100 0001", "8302"),  # none there
        (1, "03 4002", "8303"),  # cut off
        (1, "06 4002 0000", "8602"),  # Export Enable belongs to the grid operator
        (1, "06 4001 0002", "8603"),  # neither open nor closed
        (1, "06 4004 0001", "8602"),  # half a number
        (1, "10 4004 0002 04 0000 55f1", "9003"),  # 22 001 W
        (1, "10 4004 0002 02 0000", "9003"),  # says two registers, brings one
        (2, "06 0000 0001", "8602"),  # a meter is only read
        (9, "03 0000 0001", "830b"),  # nobody of that unit
    ],
)
def test_what_cannot_be_is_refused_with_its_code(twin: Served, unit: int, pdu: str, answer: str) -> None:
    body = bytes.fromhex(pdu.replace(" ", ""))
    before = twin.rpc("plant.state")
    got = exchange(twin.modbus, struct.pack(">HHHB", 1, 0, len(body) + 1, unit) + body)
    assert got[7:].hex() == answer
    assert twin.rpc("plant.state") == before


def test_partly_wrong_write_changes_nothing(twin: Served, client: ModbusTcpClient) -> None:
    # Voltage set-point (good), run (good), watchdog time-out 65.535 s (too long).
    answer = client.write_registers(0x4008, [2000, 1, 65535], device_id=1)
    assert answer.isError()
    state = twin.rpc("plant.state")
    assert (state["voltage_setpoint_v"], state["inverter_running"]) == (277.0, False)


@pytest.mark.parametrize(
    "garbage", [b"\x00" * 7, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 300, struct.pack(">HHHB", 1, 0, 1, 1)]
)
def test_garbage_closes_that_connection_only(twin: Served, client: ModbusTcpClient, garbage: bytes) -> None:
    with socket.create_connection(twin.modbus, timeout=2) as link:
        link.sendall(garbage)
        with contextlib.suppress(ConnectionResetError):
            assert link.recv(100) == b""
    assert client.read_holding_registers(EXPORT_ENABLE, count=1, device_id=1).registers == [1]


def test_frame_in_pieces_and_two_at_once(twin: Served) -> None:
    frame = struct.pack(">HHHBBHH", 3, 0, 6, 1, 3, EXPORT_ENABLE, 1)
    with socket.create_connection(twin.modbus, timeout=2) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame:
            link.sendall(bytes([byte]))
        assert exactly(link, 11)[-2:] == b"\x00\x01"
        link.sendall(frame + frame)
        assert exactly(link, 22).count(b"\x00\x03\x00\x00\x00\x05") == 2


def test_independent_sunspec_reader_finds_every_model(twin: Served) -> None:
    from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

    host, port = twin.modbus
    device = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr=host, ipport=port, timeout=2)
    device.scan()
    try:
        numbers = [n for n in device.models if isinstance(n, int)]
        assert numbers == [1, *range(701, 715)]
        assert device.models[1][0].Mn.value == "v2glab"
        measured, state = device.models[701][0], twin.rpc("plant.state")
        assert measured.Hz.cvalue == pytest.approx(state["grid_frequency_hz"], abs=1e-3)
        assert measured.VL1.cvalue == pytest.approx(state["voltage_v"][0], abs=0.06)
        assert measured.ConnSt.value == 0
        # The trip curve is what the plant trips on: 0.88 p.u. after 21 s, 0.5 p.u. after 2 s.
        points = device.models[707][0].Crv[0].MustTrip.Pt
        assert {(round(p.V.cvalue, 2), p.Tms.cvalue) for p in points} == {(88.0, 21.0), (50.0, 2.0)}
        droop = device.models[711][0].Ctl[0]
        assert (droop.DbOf.cvalue, droop.KOf.cvalue) == (0.036, 0.05)
        control = device.models[704][0]
        control.WSet.cvalue = -4_321
        control.WSet.write()
        assert twin.rpc("plant.state")["power_setpoint_w"] == -4_321
        control.WSet.cvalue = 0
        control.WSet.write()
    finally:
        device.close()


@pytest.fixture
def sunspec(twin: Served) -> Iterator[Any]:
    from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

    host, port = twin.modbus
    device = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr=host, ipport=port, timeout=2)
    device.scan()
    yield device
    device.close()


def _write(client: ModbusTcpClient, point: Any, raw: int) -> int:
    """Write one point in raw numbers; return the code of the exception, 0 without one."""
    words = [raw] if point.len == 1 else [raw >> 16, raw & 0xFFFF]
    answer = client.write_registers(point.model.model_addr + point.offset, words, device_id=1)
    return int(answer.exception_code) if answer.isError() else 0


def _curve(model: Any, index: int) -> list[tuple[float, float]]:
    model.read()
    return [(p.V.cvalue, p.Var.cvalue) for p in model.Crv[index].Pt]


def test_a_curve_comes_into_force_when_it_is_adopted(client: ModbusTcpClient, sunspec: Any) -> None:
    model = sunspec.models[705][0]
    first = _curve(model, 0)
    assert first == [(92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)]  # category B, Table 8
    assert _write(client, model.Crv[1].Pt[0].Var, 3000) == 0
    assert _write(client, model.Crv[1].RspTms, 1000) == 0
    assert _curve(model, 0) == first
    assert _write(client, model.AdptCrvReq, 2) == 0
    assert _curve(model, 0)[0] == (92.0, 30.0)
    assert (model.Crv[0].RspTms.cvalue, model.AdptCrvRslt.value) == (10.0, 1)
    assert _write(client, model.Crv[1].Pt[0].Var, 4400) == 0
    assert _write(client, model.Crv[1].RspTms, 500) == 0
    assert _write(client, model.AdptCrvReq, 2) == 0


@pytest.mark.parametrize(
    ("path", "raw", "code"),
    [
        ("705.Crv.0.Pt.0.V", 9000, 2),  # the curve in force is only read
        ("705.AdptCrvReq", 3, 3),  # there are two curves
        ("705.Ena", 7, 3),  # neither on nor off
        ("703.ESVHi", 9000, 3),  # beneath the lower end
        ("703.ESDlyRemTms", 5, 2),  # read-only by definition
        ("704.WMaxLimPct", 10_100, 3),  # 101 %
        ("704.VarSetMod", 1, 3),  # the device knows reactive power as a share of its rating only
        ("704.WSetRvrt", 1, 2),  # not implemented
        ("707.Ena", 0, 3),  # a trip cannot be switched off
        ("711.Ctl.0.DbOf", 100, 2),
    ],
)
def test_a_setting_that_cannot_be_is_refused(
    twin: Served, client: ModbusTcpClient, sunspec: Any, path: str, raw: int, code: int
) -> None:
    number, *steps = path.split(".")
    node = model = sunspec.models[int(number)][0]
    for step in steps:
        node = node[int(step)] if step.isdigit() else getattr(node, step)
    model.read()
    before, state = model.get_dict(), twin.rpc("plant.state")
    assert _write(client, node, raw) == code
    model.read()
    assert model.get_dict() == before
    assert twin.rpc("plant.state") == state


def test_a_curve_that_makes_no_sense_is_not_adopted(client: ModbusTcpClient, sunspec: Any) -> None:
    for number, point, raw, good in (
        (705, lambda m: m.Crv[1].Pt[1].V, 11_000, 9800),  # it rises beyond the next point
        (707, lambda m: m.Crv[1].MustTrip.Pt[0].Tms, 60_000, 21_000),  # longer than the code allows
        (711, lambda m: m.Ctl[1].KOf, 0, 500),  # no droop at all
    ):
        model = sunspec.models[number][0]
        model.read()
        name = "AdptCtlReq" if number == 711 else "AdptCrvReq"
        group = "Ctl" if number == 711 else "Crv"
        in_force = model.get_dict()[group][0]
        assert _write(client, point(model), raw) == 0
        assert _write(client, getattr(model, name), 2) == 3
        model.read()
        assert model.get_dict()[group][0] == in_force
        assert _write(client, point(model), good) == 0

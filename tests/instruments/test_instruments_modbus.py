"""Modbus instruments: exact bytes, a pymodbus server as peer, serial lines, and every kind of bad answer."""

import asyncio
import math
import struct
import threading
from collections.abc import Iterator

import pytest
from _instrument_peers import modbus_tcp, peer, scripted, serial_peer
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import DeviceError, InputError, LimitError, Quantity
from v2glab.instruments import encode_registers, load_certificate, load_profile, open_instrument
from v2glab.instruments._modbus import group_registers


def floats(*values: float) -> bytes:
    return struct.pack(f">{len(values)}f", *values)


def test_sdm630_reads_neighbours_in_one_exchange() -> None:
    request = bytes.fromhex("0001 0000 0006 02 04 0000 000c")
    answer = bytes.fromhex("0001 0000 001b 02 04 18") + floats(277, 276.5, 278, 10, 11, 12)
    power_request = bytes.fromhex("0002 0000 0006 02 04 0034 0002")
    power_answer = bytes.fromhex("0002 0000 0007 02 04 04") + floats(-9000)
    with peer(scripted((request, answer), (power_request, power_answer))) as device:
        meter = open_instrument("meter", "eastron_sdm630", f"tcp://127.0.0.1:{device.port}?unit=2")
        seen = meter.read(
            "voltage_a", "voltage_b", "voltage_c", "current_a", "current_b", "current_c", "power"
        )
        assert device.requests == [request, power_request]
    assert seen["voltage_b"].value == 276.5
    assert seen["power"].value == 9000, "the meter counts import positive"
    assert seen["power"].unit == "W"
    assert seen["power"].no_uncertainty == "no certificate of calibration"


def test_em24_has_its_low_word_first() -> None:
    request = bytes.fromhex("0001 0000 0006 01 04 0000 0002")
    with peer(scripted((request, bytes.fromhex("0001 0000 0007 01 04 04 0ad1 0000")))) as device:
        meter = open_instrument("m", "carlogavazzi_em24", f"tcp://127.0.0.1:{device.port}")
        assert meter.read("voltage_a")["voltage_a"].value == 276.9


def test_janitza_reads_holding_registers() -> None:
    request = bytes.fromhex("0001 0000 0006 01 03 059f 0002")
    with peer(scripted((request, bytes.fromhex("0001 0000 0007 01 03 04") + floats(60.0)))) as device:
        meter = open_instrument("m", "janitza_umg604", f"tcp://127.0.0.1:{device.port}")
        assert meter.read("frequency")["frequency"].value == 60.0


def test_ensure_reads_compares_writes_and_reads_back() -> None:
    read = lambda n, value: (  # noqa: E731
        bytes.fromhex(f"{n:04x} 0000 0006 01 03 4004 0002"),
        bytes.fromhex(f"{n:04x} 0000 0007 01 03 04") + struct.pack(">i", value),
    )
    write = bytes.fromhex("0002 0000 000b 01 10 4004 0002 04 ffff d8f0")
    confirm = bytes.fromhex("0002 0000 0006 01 10 4004 0002")
    with peer(scripted(read(1, 0), (write, confirm), read(3, -10000), read(4, -10000))) as device:
        charger = open_instrument("charger", "twin_evse", f"tcp://127.0.0.1:{device.port}")
        assert charger.ensure("power_setpoint", -10000).value == -10000
        assert charger.ensure("power_setpoint", -10000).value == -10000
        assert len(device.requests) == 4, "a value that is already there is not written again"


def test_one_register_is_written_with_function_6() -> None:
    exchanges = [
        ("0001 0000 0006 01 03 4008 0001", "0001 0000 0005 01 03 02 0000"),
        ("0002 0000 0006 01 06 4008 0ad2", "0002 0000 0006 01 06 4008 0ad2"),
        ("0003 0000 0006 01 03 4008 0001", "0003 0000 0005 01 03 02 0ad2"),
    ]
    with peer(scripted(*((bytes.fromhex(a), bytes.fromhex(b)) for a, b in exchanges))) as device:
        charger = open_instrument("charger", "twin_evse", f"tcp://127.0.0.1:{device.port}")
        assert charger.ensure("voltage_setpoint", 277.0).value == 277.0


def test_momentary_points_are_written_each_time() -> None:
    exchanges = [
        ("0001 0000 0006 01 06 401b 0001", "0001 0000 0006 01 06 401b 0001"),
        ("0002 0000 0006 01 03 401b 0001", "0002 0000 0005 01 03 02 0000"),
    ]
    with peer(scripted(*((bytes.fromhex(a), bytes.fromhex(b)) for a, b in exchanges))) as device:
        charger = open_instrument("charger", "twin_evse", f"tcp://127.0.0.1:{device.port}")
        assert charger.ensure("fault_reset", 1).value == 0


def test_limits_are_checked_before_anything_is_sent() -> None:
    with peer(lambda _: b"") as device:
        charger = open_instrument("charger", "twin_evse", f"tcp://127.0.0.1:{device.port}")
        for point, value in (("power_setpoint", 22001), ("power_setpoint", math.nan), ("export_enable", 1)):
            with pytest.raises(LimitError):
                charger.ensure(point, value)
        with pytest.raises(InputError, match="no point 'volts'"):
            charger.read("volts")
        assert device.connections == 0


def test_a_value_that_is_not_reached_is_an_error() -> None:
    def answer(request: bytes) -> bytes:
        return modbus_tcp(request, b"\x03\x02\0\0" if request[7] == 3 else request[7:12])

    with peer(answer) as device:
        charger = open_instrument("charger", "twin_evse", f"tcp://127.0.0.1:{device.port}")
        with pytest.raises(DeviceError, match="contactor_command = 0"):
            charger.ensure("contactor_command", 1, timeout_s=0.05)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda r: modbus_tcp(r, b"\x84\x02"), "illegal data address"),
        (lambda r: modbus_tcp(r, b"\x84\x0b"), "no answer behind the gateway"),
        (lambda r: modbus_tcp(r, b"\x84"), "an answer 84"),
        (lambda r: modbus_tcp(r, b"\x04\x02\x00\x00"), "2 bytes of data for 2 registers"),
        (lambda r: modbus_tcp(r, b"\x04\x04\x00\x00"), "2 bytes of data for 2 registers"),
        (lambda r: modbus_tcp(r, b"\x03\x04\x00\x00\x00\x00"), "to function 4"),
        (lambda r: modbus_tcp(r[:6] + b"\x09", b"\x04\x04\x00\x00\x00\x00"), "unit 9"),
        (lambda r: modbus_tcp(r, b"\x04\x04" + b"\x7f\xc0\x00\x00"), "holds nan"),
        (lambda r: b"HTTP/1.1 400 Bad Request\r\n\r\n", "485454502f"),
        (lambda r: b"", "no answer within 0.15 s"),
        (lambda r: modbus_tcp(r, b"\x04\x04\x00\x00\x00\x00")[:-1], "no answer within 0.15 s"),
        (lambda r: b"\xff\xff" + modbus_tcp(r, b"\x04\x04\0\0\0\0")[2:], "no answer within 0.15 s"),
        (lambda r: None, "closed the connection"),
    ],
)
def test_bad_answers_are_device_errors_and_the_next_use_reconnects(answer, says: str) -> None:  # type: ignore[no-untyped-def]
    good = threading.Event()

    def reply(request: bytes) -> bytes | None:
        return modbus_tcp(request, b"\x04\x04" + floats(277)) if good.is_set() else answer(request)

    with peer(reply) as device:
        address = f"tcp://127.0.0.1:{device.port}"
        meter = open_instrument("meter", "eastron_sdm630", address, timeout_s=0.15)
        with pytest.raises(DeviceError) as caught:
            meter.read("voltage_a")
        assert says in caught.value.found
        assert caught.value.remedy
        good.set()
        assert meter.read("voltage_a")["voltage_a"].value == 277


def test_a_late_answer_does_not_serve_the_next_request() -> None:
    def answer(request: bytes) -> bytes:
        late = b"\x00\x07" + modbus_tcp(request, b"\x04\x04" + floats(1))[2:]
        return late + modbus_tcp(request, b"\x04\x04" + floats(277))

    with peer(answer) as device:
        meter = open_instrument("meter", "eastron_sdm630", f"tcp://127.0.0.1:{device.port}")
        assert meter.read("voltage_a")["voltage_a"].value == 277


def test_nobody_there(free_port: int) -> None:
    meter = open_instrument("meter", "eastron_sdm630", f"tcp://127.0.0.1:{free_port}")
    with pytest.raises(DeviceError, match="no connection"):
        meter.identify()


@given(st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_garbage_gives_a_number_or_a_device_error(garbage: list[bytes], framed: bool) -> None:
    replies = iter(garbage)

    def answer(request: bytes) -> bytes | None:
        data = next(replies, None)
        return modbus_tcp(request, data) if framed and data is not None else data

    with peer(answer) as device:
        meter = open_instrument("m", "eastron_sdm630", f"tcp://127.0.0.1:{device.port}", timeout_s=0.02)
        try:
            seen = meter.read("voltage_a", "frequency")
        except DeviceError as error:
            assert error.remedy
        else:
            assert all(math.isfinite(quantity.value) for quantity in seen.values())
        meter.close()


@pytest.mark.parametrize(
    "address",
    ["tcp://", "tcp://h:99999", "tcp://h:502?unit=300", "tcp://h:502?speed=9", "http://h", "rtu://",
     "twin:meter",     "rtu:///dev/ttyS0?parity=X", "rtu:///dev/ttyS0?baud=fast", "tcp://h:502?unit", "tcp://[::1"],
)  # fmt: skip
def test_wrong_addresses_are_refused(address: str) -> None:
    with pytest.raises(InputError, match="required"):
        open_instrument("m", "eastron_sdm630", address)


def test_blocks_keep_to_gap_and_length() -> None:
    registers = load_profile("eastron_sdm630").registers.values()  # type: ignore[union-attr]
    blocks = group_registers(registers, max_registers=80, max_gap=0)
    assert [(b.address, b.count) for b in blocks][:3] == [(0, 36), (52, 2), (56, 2)]
    wide = group_registers(registers, max_registers=80, max_gap=40)
    assert (wide[0].address, wide[0].count) == (0, 80)
    assert all(b.count <= 10 for b in group_registers(registers, max_registers=10, max_gap=9))


class Tape:
    def __init__(self) -> None:
        self.frames: list[tuple[str, bytes]] = []
        self.quantities: list[Quantity] = []

    def frame(self, *, time_ns: int, instrument: str, direction: str, data: bytes) -> None:
        assert (time_ns, instrument) == (5, "meter")
        self.frames.append((direction, data))

    def quantity(self, quantity: Quantity) -> None:
        self.quantities.append(quantity)


def test_readings_carry_certificate_time_and_frames() -> None:
    tape = Tape()
    certificate = load_certificate("twin-meter.toml")
    with peer(lambda r: modbus_tcp(r, b"\x04\x04" + floats(250))) as device:
        meter = open_instrument(
            "meter", "eastron_sdm630", f"tcp://127.0.0.1:{device.port}",
            certificate=certificate, clock_ns=lambda: 5, recorder=tape,
        )  # fmt: skip
        seen = meter.read("voltage_a")["voltage_a"]
    assert seen.uncertainty == pytest.approx(0.5 / math.sqrt(3))
    assert (seen.time_ns, seen.instrument, seen.certificate) == (5, "meter", certificate.id)
    assert tape.quantities == [seen]
    assert [direction for direction, _ in tape.frames] == ["tx", "rx"]
    assert tape.frames[0][1] == device.requests[0]


def crc(data: bytes) -> bytes:
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def test_rtu_frames() -> None:
    request = bytes.fromhex("02 04 0046 0002")
    answer = bytes.fromhex("02 04 04") + floats(60)
    assert crc(bytes.fromhex("01 04 0000 0002")) == bytes.fromhex("71cb"), "published example"
    with serial_peer(lambda _: answer + crc(answer)) as (device, requests):
        meter = open_instrument("m", "eastron_sdm630", f"rtu://{device}?baud=19200&unit=2")
        assert meter.read("frequency")["frequency"].value == 60
        assert meter.read("frequency")["frequency"].value == 60
        assert requests == [request + crc(request)] * 2
        meter.close()


@pytest.mark.parametrize("answer", [b"", b"\x02\x04\x04\0\0\0\0\0\0", b"\xff" * 40, b"\x02\x84\x02", b"\x00"])
def test_rtu_noise_is_a_device_error(answer: bytes) -> None:
    with serial_peer(lambda _: answer) as (device, _):
        meter = open_instrument("m", "eastron_sdm630", f"rtu://{device}?unit=2", timeout_s=0.1)
        with pytest.raises(DeviceError):
            meter.read("frequency")
        meter.close()


def test_a_serial_line_that_is_not_there() -> None:
    meter = open_instrument("m", "eastron_sdm630", "rtu:///dev/does-not-exist")
    with pytest.raises(DeviceError, match="cannot be opened"):
        meter.read("frequency")


@pytest.fixture
def pymodbus_server(free_port: int) -> Iterator[int]:
    """A pymodbus server that holds the charger's registers in its own datastore."""
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    profile = load_profile("twin_evse")
    registers = profile.registers.values()  # type: ignore[union-attr]
    words = [0] * (max(r.address + r.words for r in registers) - 0x4000)
    for name, value in (("soc", 70.0), ("dc_voltage", 402.5), ("max_temperature", 85.0)):
        register = profile.registers[name]  # type: ignore[union-attr]
        start = register.address - 0x4000
        words[start : start + register.words] = encode_registers(register, value)
    device = SimDevice(1, simdata=[SimData(0x4000, values=words, datatype=DataType.REGISTERS)])
    started, loop = threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        server = ModbusTcpServer(device, address=("127.0.0.1", free_port))
        await server.serve_forever(background=True)
        started.set()
        await stop.wait()
        await server.shutdown()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    yield free_port
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


def test_pymodbus_server_as_peer(pymodbus_server: int) -> None:
    charger = open_instrument("charger", "twin_evse", f"tcp://127.0.0.1:{pymodbus_server}")
    seen = charger.read()
    assert (seen["soc"].value, seen["dc_voltage"].value) == (70.0, 402.5)
    assert charger.ensure("power_setpoint", -22000).value == -22000
    assert charger.ensure("max_temperature", 79.5).value == 79.5
    assert charger.ensure("frequency_trim", -0.125).value == -0.125
    charger.close()
    assert charger.read("power_setpoint")["power_setpoint"].value == -22000, "reconnects after close"
    charger.close()

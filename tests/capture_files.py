"""Writes captures for tests: pcap and pcapng, packets of Ethernet, IPv6, TCP and UDP around given octets."""

import struct
from dataclasses import dataclass, field
from ipaddress import ip_address

VEHICLE, CHARGER = ("fe80::1", 49152), ("fe80::2", 15118)
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def write_pcap(packets, *, order="<", nanoseconds=True, link=1):
    """Octets of a pcap; a packet is (time_ns, data) or (time_ns, data, length on the wire)."""
    tick = 1 if nanoseconds else 1000
    out = [
        struct.pack(f"{order}IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, link)
    ]
    for time_ns, data, *length in packets:
        second, rest = divmod(time_ns, 10**9)
        out += [
            struct.pack(f"{order}IIII", second, rest // tick, len(data), length[0] if length else len(data)),
            data,
        ]
    return b"".join(out)


def write_pcapng(packets, *, order="<", resolution=9, link=1, keys=b""):
    """Octets of a pcapng; ``resolution`` is that of if_tsresol, None leaves the option out."""

    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = struct.pack(f"{order}I", len(body) + 12)
        return struct.pack(f"{order}I", kind) + size + body + size

    section = struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)
    options = b"" if resolution is None else struct.pack(f"{order}HHB3xHH", 9, 1, resolution, 0, 0)
    out = [block(0x0A0D0D0A, section), block(1, struct.pack(f"{order}HHI", link, 0, 0) + options)]
    if keys:
        out.append(block(10, struct.pack(f"{order}II", 0x544C534B, len(keys)) + keys))
    per_s = 10**6 if resolution is None else 2 ** (resolution & 127) if resolution & 128 else 10**resolution
    for time_ns, data, *length in packets:
        ticks = time_ns * per_s // 10**9
        head = struct.pack(
            f"{order}IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length[0] if length else len(data)
        )
        out.append(block(6, head + data))
    return b"".join(out)


def ethernet(payload, kind=0x86DD):
    return bytes.fromhex("020000000002020000000001") + struct.pack(">H", kind) + payload


def internet(source, destination, payload, protocol):
    """Header of IPv4 or IPv6, by the addresses."""
    first, second = (ip_address(p[0]) for p in (source, destination))
    if first.version == 4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
        return head + first.packed + second.packed + payload
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + first.packed + second.packed + payload


def udp(source, destination, data):
    head = struct.pack(">HHHH", source[1], destination[1], 8 + len(data), 0)
    return internet(source, destination, head + data, 17)


def tcp(source, destination, sequence, acknowledged, flags, data=b""):
    head = struct.pack(
        ">HHIIBBHHH",
        source[1],
        destination[1],
        sequence % 2**32,
        acknowledged % 2**32,
        0x50,
        flags,
        65535,
        0,
        0,
    )
    return internet(source, destination, head + data, 6)


@dataclass
class Talk:
    """TCP packets of a conversation: ``say`` in turn; ``packets`` holds (time_ns, IP packet)."""

    vehicle: tuple = VEHICLE
    charger: tuple = CHARGER
    segment: int = 1400
    first: tuple = (1000, 5_000_000)
    packets: list = field(default_factory=list)

    def __post_init__(self):
        self._next = list(self.first)

    def _put(self, time_ns, from_vehicle, flags, data=b""):
        ends = (self.vehicle, self.charger) if from_vehicle else (self.charger, self.vehicle)
        own, other = (0, 1) if from_vehicle else (1, 0)
        # An ACK says nothing before the other end has begun.
        self.packets.append((time_ns, tcp(*ends, self._next[own], self._next[other], flags, data)))
        self._next[own] += len(data) + (flags & (SYN | FIN) > 0)

    def open(self, time_ns, way_ns=(400_000, 100_000)):
        """The opening as seen from the middle: round trips to charger and to vehicle."""
        self._put(time_ns, True, SYN)
        self._put(time_ns + way_ns[0], False, SYN | ACK)
        self._put(time_ns + sum(way_ns), True, ACK)
        return time_ns + sum(way_ns)

    def ask(self, time_ns):
        self._put(time_ns, True, SYN)

    def say(self, time_ns, from_vehicle, data, gap_ns=0):
        for k, at in enumerate(range(0, len(data), self.segment)):
            self._put(time_ns + k * gap_ns, from_vehicle, ACK | PSH, data[at : at + self.segment])

    def close(self, time_ns, from_vehicle=True, flags=FIN | ACK):
        self._put(time_ns, from_vehicle, flags)

    def framed(self):
        return [
            (time_ns, ethernet(data, 0x86DD if data[0] >> 4 == 6 else 0x0800))
            for time_ns, data in self.packets
        ]


def talk_of(heard, **more):
    """Packets of what was heard on a real connection: (time_ns, from_vehicle, data)."""
    talk = Talk(**more)
    talk.open(heard[0][0] - 1_000_000)
    for time_ns, from_vehicle, data in heard:
        talk.say(time_ns, from_vehicle, data)
    talk.close(heard[-1][0] + 1_000_000)
    return talk

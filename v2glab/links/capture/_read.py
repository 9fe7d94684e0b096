"""A capture file as what happened on the vehicle link: SLAC, discovery, sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from v2glab.links._v2gtp import SdpRequest, SdpResponse, V2gtpError, codes, parse_sdp
from v2glab.links.capture._error import CaptureError
from v2glab.links.capture._events import Event
from v2glab.links.capture._files import PCAPNG, Packet, open_capture, read_pcap
from v2glab.links.capture._keylog import KeyLog, read_key_log
from v2glab.links.capture._layers import Datagram, Other, PlcFrame, Segment, read_layers
from v2glab.links.capture._pcapng import PcapngReader
from v2glab.links.capture._session import CapturedSession, read_session
from v2glab.links.capture._slac import SlacReader, SlacRun
from v2glab.links.capture._tcp import Streams
from v2glab.links.tls import FIXED_PORT

#: Events of discovery that are kept.
_MOST_EVENTS = 100_000


@dataclass(frozen=True)
class LeftOut:
    """Packets that were not read: why, how many, and the first of them."""

    reason: str
    count: int
    first: int


@dataclass(frozen=True)
class Capture:
    """What a capture holds.

    Parameters
    ----------
    packets
        How many packets the file has.
    sessions
        Connections of the vehicle link, oldest first.
    slac
        Runs of SLAC.
    discovery
        SDP.
    left_out
        What was not read, and why.
    notes
        What was wrong with the file.
    """

    path: Path
    packets: int
    sessions: tuple[CapturedSession, ...]
    slac: tuple[SlacRun, ...]
    discovery: tuple[Event, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()

    @property
    def began_ns(self) -> int:
        """Time of the first thing that is shown; 0 when there is none."""
        times = [s.began_ns for s in self.sessions] + [e.time_ns for e in self.discovery]
        times += [r.trace[0].time_ns for r in self.slac if r.trace]
        return min(times, default=0)


@dataclass
class _Collected:
    streams: Streams = field(default_factory=Streams)
    slac: SlacReader = field(default_factory=SlacReader)
    discovery: list[Event] = field(default_factory=list)
    ports: set[int] = field(default_factory=lambda: {FIXED_PORT})
    others: dict[str, list[int]] = field(default_factory=dict)
    packets: int = 0

    def take(self, packet: Packet) -> None:
        self.packets = packet.number
        match read_layers(packet):
            case Segment() as segment:
                self.streams.add(segment)
            case Datagram() as datagram:
                self._discover(datagram)
            case PlcFrame() as frame:
                self.slac.add(frame)
            case Other() as other:
                self.leave(other.number, other.reason)

    def leave(self, number: int, reason: str) -> None:
        count_first = self.others.setdefault(reason, [0, number])
        count_first[0] += 1

    def _discover(self, datagram: Datagram) -> None:
        port = codes()["sdp"]["port"]
        announced = port in (datagram.source[1], datagram.destination[1])
        try:
            message = parse_sdp(datagram.data)
        except V2gtpError as error:
            if not announced:
                # Chargers on a bench may answer on other ports: there only what is whole counts.
                self.leave(datagram.number, "UDP that is no discovery")
                return
            end = "evcc" if datagram.destination[1] == port else "secc"
            self._note(datagram, end, "damaged", error.found)
            return
        if isinstance(message, SdpRequest):
            self._note(datagram, "evcc", "SDP request", f"{message.security}, {message.transport}")
            return
        assert isinstance(message, SdpResponse)  # noqa: S101 -- the parser returns one of two
        self.ports.add(message.port)
        told = f"[{message.address}]:{message.port}, {message.security}, {message.transport}"
        self._note(datagram, "secc", "SDP response", told)

    def _note(self, datagram: Datagram, end: str, name: str, text: str) -> None:
        if len(self.discovery) < _MOST_EVENTS:
            at = datagram.time_ns
            self.discovery.append(Event(at, end, "SDP", name, text, at))  # type: ignore[arg-type]


def read_capture(path: Path, key_log: Path | None = None) -> Capture:
    """Read a capture of the vehicle link, pcap or pcapng.

    Parameters
    ----------
    key_log
        Secrets of its TLS connections in NSS format; those that a pcapng carries itself are used besides.

    Raises
    ------
    CaptureError
        The file is no capture, or is damaged; names octet and packet. A file that only ends early is read as
        far as it goes, and a note says so.
    InputError
        A file cannot be read, or holds more than is kept.
    KeyLogError
        The key log is not in its format.
    """
    keys = KeyLog() if key_log is None else read_key_log(key_log)
    collected, notes = _Collected(), list[str]()
    try:
        for packet in packets(path, keys, notes):
            collected.take(packet)
    except CaptureError as error:
        if not error.cut or not collected.packets:
            raise
        notes.append(f"{error.found}; what stands before is shown")
    ports = frozenset(collected.ports)
    connections = sorted(collected.streams.connections, key=lambda c: c.first_ns)
    found = []
    for connection in connections:
        session = read_session(connection, keys, ports)
        if session is None:
            collected.leave(0, "TCP that is none of the vehicle link")
        else:
            found.append(session)
    if collected.slac.others:
        notes.append(f"{collected.slac.others} management frames are none of SLAC")
    left_out = tuple(LeftOut(reason, *count_first) for reason, count_first in collected.others.items())
    discovery = tuple(sorted(collected.discovery, key=lambda e: e.time_ns))
    runs = collected.slac.runs()
    return Capture(path, collected.packets, tuple(found), runs, discovery, left_out, tuple(notes))


def packets(path: Path, keys: KeyLog | None = None, notes: list[str] | None = None) -> Iterator[Packet]:
    """Return the packets of a capture file, pcap or pcapng.

    Parameters
    ----------
    keys
        Takes the TLS keys that the file carries.
    notes
        Takes what is odd about the file but does no harm.

    Raises
    ------
    CaptureError
        The file is no capture, or is damaged or cut; names octet and packet.
    InputError
        The file cannot be read.
    """
    with open_capture(path) as (source, magic):
        if magic != PCAPNG:
            yield from read_pcap(source, magic)
            return
        reader = PcapngReader(source, (keys or KeyLog()).add)
        yield from reader.packets()
        if reader.without_time and notes is not None:
            notes.append(f"{reader.without_time} packets have no time: they are given that of the one before")

"""Captures of the vehicle link, pcap and pcapng, read by this package alone: SLAC, SDP, TLS, messages."""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.links.capture._error import CaptureError, KeyLogError
    from v2glab.links.capture._events import Event, event_table
    from v2glab.links.capture._files import Packet
    from v2glab.links.capture._findings import find_faults, session_faults, slac_faults
    from v2glab.links.capture._keylog import KeyLog, read_key_log
    from v2glab.links.capture._read import Capture, LeftOut, packets, read_capture
    from v2glab.links.capture._session import CapturedSession
    from v2glab.links.capture._slac import SlacRun

_HOMES = {
    "_error": ["CaptureError", "KeyLogError"],
    "_events": ["Event", "event_table"],
    "_files": ["Packet"],
    "_findings": ["find_faults", "session_faults", "slac_faults"],
    "_keylog": ["KeyLog", "read_key_log"],
    "_read": ["Capture", "LeftOut", "packets", "read_capture"],
    "_session": ["CapturedSession"],
    "_slac": ["SlacRun"],
}

__all__ = [
    "Capture",
    "CaptureError",
    "CapturedSession",
    "Event",
    "KeyLog",
    "KeyLogError",
    "LeftOut",
    "Packet",
    "SlacRun",
    "event_table",
    "find_faults",
    "packets",
    "read_capture",
    "read_key_log",
    "session_faults",
    "slac_faults",
]

__getattr__ = lazy_attributes(__name__, _HOMES)

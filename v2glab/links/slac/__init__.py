"""Signal level attenuation characterisation (SLAC): how a vehicle finds the charger it is plugged into.

Frames of HomePlug Green PHY to and from bytes, the laws of vehicle and charger without sockets or clocks, a
driver for both, a model of the line, and three links with one interface: raw Ethernet, a frame relay on
loopback, and an emulated modem on either. Timers, thresholds and failures are data
(``datasets/iso15118/slac.toml``).
"""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.links.slac._channel import PlcChannel, carrier_frequencies_hz, make_channel
    from v2glab.links.slac._error import SlacFailure, SlacFrameError
    from v2glab.links.slac._ev import EvLaw
    from v2glab.links.slac._evse import EvseLaw
    from v2glab.links.slac._frame import Frame, decode_frame, encode_frame, mac_text, parse_mac
    from v2glab.links.slac._keys import new_nmk, nid_of
    from v2glab.links.slac._law import Action, Law, Match, Send, Toggle
    from v2glab.links.slac._link import Link, RawLink
    from v2glab.links.slac._messages import (
        BROADCAST,
        MESSAGES,
        AttenCharInd,
        AttenCharRsp,
        AttenProfileInd,
        Message,
        MnbcSoundInd,
        SetKeyCnf,
        SetKeyReq,
        SlacMatchCnf,
        SlacMatchReq,
        SlacParmCnf,
        SlacParmReq,
        StartAttenCharInd,
        ValidateCnf,
        ValidateReq,
    )
    from v2glab.links.slac._modem import EmulatedModem
    from v2glab.links.slac._namespaces import INTERFACE, inside, two_namespaces
    from v2glab.links.slac._node import MatchRun, Pilot, PilotWire, SlacNode, match_charger, match_vehicle
    from v2glab.links.slac._profile import Choice, Report, choose, read_report
    from v2glab.links.slac._relay import FrameRelay, RelayLink
    from v2glab.links.slac._rules import SlacRules, load_slac_rules
    from v2glab.links.slac._trace import Seen, Trace, trace_table

_HOMES = {
    "_channel": ["PlcChannel", "carrier_frequencies_hz", "make_channel"],
    "_error": ["SlacFailure", "SlacFrameError"],
    "_ev": ["EvLaw"],
    "_evse": ["EvseLaw"],
    "_frame": ["Frame", "decode_frame", "encode_frame", "mac_text", "parse_mac"],
    "_keys": ["new_nmk", "nid_of"],
    "_law": ["Action", "Law", "Match", "Send", "Toggle"],
    "_link": ["Link", "RawLink"],
    "_messages": [
        "BROADCAST",
        "MESSAGES",
        "AttenCharInd",
        "AttenCharRsp",
        "AttenProfileInd",
        "Message",
        "MnbcSoundInd",
        "SetKeyCnf",
        "SetKeyReq",
        "SlacMatchCnf",
        "SlacMatchReq",
        "SlacParmCnf",
        "SlacParmReq",
        "StartAttenCharInd",
        "ValidateCnf",
        "ValidateReq",
    ],
    "_modem": ["EmulatedModem"],
    "_namespaces": ["INTERFACE", "inside", "two_namespaces"],
    "_node": ["MatchRun", "Pilot", "PilotWire", "SlacNode", "match_charger", "match_vehicle"],
    "_profile": ["Choice", "Report", "choose", "read_report"],
    "_relay": ["FrameRelay", "RelayLink"],
    "_rules": ["SlacRules", "load_slac_rules"],
    "_trace": ["Seen", "Trace", "trace_table"],
}

__all__ = [
    "BROADCAST",
    "INTERFACE",
    "MESSAGES",
    "Action",
    "AttenCharInd",
    "AttenCharRsp",
    "AttenProfileInd",
    "Choice",
    "EmulatedModem",
    "EvLaw",
    "EvseLaw",
    "Frame",
    "FrameRelay",
    "Law",
    "Link",
    "Match",
    "MatchRun",
    "Message",
    "MnbcSoundInd",
    "Pilot",
    "PilotWire",
    "PlcChannel",
    "RawLink",
    "RelayLink",
    "Report",
    "Seen",
    "Send",
    "SetKeyCnf",
    "SetKeyReq",
    "SlacFailure",
    "SlacFrameError",
    "SlacMatchCnf",
    "SlacMatchReq",
    "SlacNode",
    "SlacParmCnf",
    "SlacParmReq",
    "SlacRules",
    "StartAttenCharInd",
    "Toggle",
    "Trace",
    "ValidateCnf",
    "ValidateReq",
    "carrier_frequencies_hz",
    "choose",
    "decode_frame",
    "encode_frame",
    "inside",
    "load_slac_rules",
    "mac_text",
    "make_channel",
    "match_charger",
    "match_vehicle",
    "new_nmk",
    "nid_of",
    "parse_mac",
    "read_report",
    "trace_table",
    "two_namespaces",
]

__getattr__ = lazy_attributes(__name__, _HOMES)

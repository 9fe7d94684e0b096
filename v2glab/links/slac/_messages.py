"""Messages of SLAC (HomePlug Green PHY 1.1, chapter 11.5; ISO 15118-3:2015, annex A, tables A.2 to A.8).

Field order, widths and fixed values agree between three independent public implementations (libslac, pyslac,
scapy); without the text at hand that is what stands behind them. Reserved parts that stations in the field
fill are kept as they came, so that a message that was read is written again byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

from v2glab.links.slac._fields import Field

#: Management message types (low two bits: request 0, confirm 1, indication 2, response 3).
REQ, CNF, IND, RSP = 0, 1, 2, 3

BROADCAST = b"\xff" * 6
NO_ID = bytes(17)

# Application type 0 means the matching of vehicle and charger, security type 0 no cipher; other values
# change what follows.
_HEAD = (Field("application_type", "fixed", 1, 0), Field("security_type", "fixed", 1, 0))
_RUN = Field("run_id", "bytes", 8)
_SIGNAL, _RESULT = Field("signal_type", "int", 1), Field("result", "int", 1)
_RUN_LONG = (_RUN, Field("reserved", "bytes", 8))
_WINDOW = (Field("num_sounds", "int", 1), Field("timeout_100ms", "int", 1), Field("resp_type", "int", 1))
_STATIONS = (
    Field("pev_id", "bytes", 17),
    Field("pev_mac", "bytes", 6),
    Field("evse_id", "bytes", 17),
    Field("evse_mac", "bytes", 6),
    *_RUN_LONG,
)
_SOUNDER = (
    Field("source_address", "bytes", 6),
    _RUN,
    Field("source_id", "bytes", 17),
    Field("resp_id", "bytes", 17),
)
_KEY_STEP = (
    Field("my_nonce", "bytes", 4),
    Field("your_nonce", "bytes", 4),
    Field("pid", "int", 1),
    Field("prn", "int", 2),
    Field("pmn", "int", 1),
    Field("cco_capability", "int", 1),
)


@dataclass(frozen=True)
class SlacParmReq:
    """A vehicle asks who is there; broadcast."""

    run_id: bytes

    TYPE: ClassVar[int] = 0x6064 | REQ
    NAME: ClassVar[str] = "CM_SLAC_PARM.REQ"
    FIELDS: ClassVar[tuple[Field, ...]] = (*_HEAD, _RUN)


@dataclass(frozen=True)
class SlacParmCnf:
    """A charger answers with the number of sounds it wants and the time it listens (in 100 ms)."""

    run_id: bytes
    forwarding_sta: bytes
    num_sounds: int = 10
    timeout_100ms: int = 6
    resp_type: int = 1
    m_sound_target: bytes = BROADCAST

    TYPE: ClassVar[int] = 0x6064 | CNF
    NAME: ClassVar[str] = "CM_SLAC_PARM.CNF"
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("m_sound_target", "bytes", 6),
        *_WINDOW,
        Field("forwarding_sta", "bytes", 6),
        *_HEAD,
        _RUN,
    )


@dataclass(frozen=True)
class StartAttenCharInd:
    """The vehicle announces its sounds; broadcast, several times."""

    run_id: bytes
    forwarding_sta: bytes
    num_sounds: int = 10
    timeout_100ms: int = 6
    resp_type: int = 1

    TYPE: ClassVar[int] = 0x6068 | IND
    NAME: ClassVar[str] = "CM_START_ATTEN_CHAR.IND"
    FIELDS: ClassVar[tuple[Field, ...]] = (*_HEAD, *_WINDOW, Field("forwarding_sta", "bytes", 6), _RUN)


@dataclass(frozen=True)
class MnbcSoundInd:
    """One sound; ``countdown`` tells how many follow. Broadcast."""

    run_id: bytes
    countdown: int
    random: bytes
    sender_id: bytes = NO_ID
    reserved: bytes = bytes(8)

    TYPE: ClassVar[int] = 0x6074 | IND
    NAME: ClassVar[str] = "CM_MNBC_SOUND.IND"
    FIELDS: ClassVar[tuple[Field, ...]] = (
        *_HEAD,
        Field("sender_id", "bytes", 17),
        Field("countdown", "int", 1),
        *_RUN_LONG,
        Field("random", "bytes", 16),
    )


@dataclass(frozen=True)
class AttenProfileInd:
    """A charger's modem tells its host how strong one sound came in: dB for each carrier group."""

    pev_mac: bytes
    groups: tuple[int, ...]

    TYPE: ClassVar[int] = 0x6084 | IND
    NAME: ClassVar[str] = "CM_ATTEN_PROFILE.IND"
    FIELDS: ClassVar[tuple[Field, ...]] = (Field("pev_mac", "bytes", 6), Field("groups", "groups", 1))


@dataclass(frozen=True)
class AttenCharInd:
    """A charger reports the mean attenuation of all sounds: dB for each carrier group."""

    source_address: bytes
    run_id: bytes
    num_sounds: int
    groups: tuple[int, ...]
    source_id: bytes = NO_ID
    resp_id: bytes = NO_ID

    TYPE: ClassVar[int] = 0x606C | IND
    NAME: ClassVar[str] = "CM_ATTEN_CHAR.IND"
    FIELDS: ClassVar[tuple[Field, ...]] = (
        *_HEAD,
        *_SOUNDER,
        Field("num_sounds", "int", 1),
        Field("groups", "groups", 0),
    )


@dataclass(frozen=True)
class AttenCharRsp:
    """The vehicle has the report; ``result`` 0 means success."""

    source_address: bytes
    run_id: bytes
    result: int = 0
    source_id: bytes = NO_ID
    resp_id: bytes = NO_ID

    TYPE: ClassVar[int] = 0x606C | RSP
    NAME: ClassVar[str] = "CM_ATTEN_CHAR.RSP"
    FIELDS: ClassVar[tuple[Field, ...]] = (*_HEAD, *_SOUNDER, _RESULT)


@dataclass(frozen=True)
class ValidateReq:
    """The vehicle asks a charger to count toggles of the control pilot.

    In the second request ``timer`` gives the time for it: (timer + 1) · 100 ms. ``result`` 1 means ready.
    """

    timer: int
    result: int = 1
    signal_type: int = 0

    TYPE: ClassVar[int] = 0x6078 | REQ
    NAME: ClassVar[str] = "CM_VALIDATE.REQ"
    FIELDS: ClassVar[tuple[Field, ...]] = (_SIGNAL, Field("timer", "int", 1), _RESULT)


@dataclass(frozen=True)
class ValidateCnf:
    """What the charger says: 0 not ready, 1 ready, 2 success, 3 failure, 4 not required."""

    toggle_num: int
    result: int
    signal_type: int = 0

    TYPE: ClassVar[int] = 0x6078 | CNF
    NAME: ClassVar[str] = "CM_VALIDATE.CNF"
    FIELDS: ClassVar[tuple[Field, ...]] = (_SIGNAL, Field("toggle_num", "int", 1), _RESULT)


@dataclass(frozen=True)
class SlacMatchReq:
    """The vehicle has chosen this charger."""

    pev_mac: bytes
    evse_mac: bytes
    run_id: bytes
    pev_id: bytes = NO_ID
    evse_id: bytes = NO_ID
    reserved: bytes = bytes(8)

    TYPE: ClassVar[int] = 0x607C | REQ
    NAME: ClassVar[str] = "CM_SLAC_MATCH.REQ"
    FIELDS: ClassVar[tuple[Field, ...]] = (*_HEAD, Field("mvf_length", "fixed", 2, 0x3E), *_STATIONS)


@dataclass(frozen=True)
class SlacMatchCnf:
    """The charger hands over its network: identity and membership key."""

    pev_mac: bytes
    evse_mac: bytes
    run_id: bytes
    nid: bytes
    nmk: bytes
    pev_id: bytes = NO_ID
    evse_id: bytes = NO_ID
    reserved: bytes = bytes(8)
    reserved2: int = 0

    TYPE: ClassVar[int] = 0x607C | CNF
    NAME: ClassVar[str] = "CM_SLAC_MATCH.CNF"
    FIELDS: ClassVar[tuple[Field, ...]] = (
        *_HEAD,
        Field("mvf_length", "fixed", 2, 0x56),
        *_STATIONS,
        Field("nid", "bytes", 7),
        Field("reserved2", "int", 1),
        Field("nmk", "bytes", 16),
    )


@dataclass(frozen=True)
class SetKeyReq:
    """A host tells its own modem which network to be in; never leaves the host."""

    nid: bytes
    new_key: bytes
    my_nonce: bytes = b"\xaa" * 4
    your_nonce: bytes = bytes(4)
    pid: int = 4
    prn: int = 0
    pmn: int = 0
    cco_capability: int = 0
    key_type: int = 1
    new_eks: int = 1

    TYPE: ClassVar[int] = 0x6008 | REQ
    NAME: ClassVar[str] = "CM_SET_KEY.REQ"
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("key_type", "int", 1),
        *_KEY_STEP,
        Field("nid", "bytes", 7),
        Field("new_eks", "int", 1),
        Field("new_key", "bytes", 16),
    )


@dataclass(frozen=True)
class SetKeyCnf:
    """The modem's answer to its host."""

    result: int
    my_nonce: bytes = bytes(4)
    your_nonce: bytes = bytes(4)
    pid: int = 4
    prn: int = 0
    pmn: int = 0
    cco_capability: int = 0

    TYPE: ClassVar[int] = 0x6008 | CNF
    NAME: ClassVar[str] = "CM_SET_KEY.CNF"
    FIELDS: ClassVar[tuple[Field, ...]] = (_RESULT, *_KEY_STEP)


Message = (
    SlacParmReq
    | SlacParmCnf
    | StartAttenCharInd
    | MnbcSoundInd
    | AttenProfileInd
    | AttenCharInd
    | AttenCharRsp
    | ValidateReq
    | ValidateCnf
    | SlacMatchReq
    | SlacMatchCnf
    | SetKeyReq
    | SetKeyCnf
)
MESSAGES: dict[int, type[Message]] = {kind.TYPE: kind for kind in get_args(Message)}

"""Frames that scapy 2.8.0 (contrib.homepluggp) wrote for the messages beside them.

libslac and pyslac 0.8.3 lay the same fields out alike. CM_VALIDATE, which neither scapy nor pyslac has,
follows the structure of libslac.
"""

from v2glab.links.slac import (
    AttenCharInd,
    AttenCharRsp,
    AttenProfileInd,
    Frame,
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

EV, EVSE = bytes.fromhex("02000000000e"), bytes.fromhex("02000000005e")
EVERYONE, MODEM = b"\xff" * 6, bytes.fromhex("00b052000001")
RUN = bytes(range(0x11, 0x19))
EV_ID, EVSE_ID = b"WV2GLAB0000000001", b"DE*V2G*E000000001"
#: A key and the identity that Qualcomm's own tool prints for it.
NMK, NID = bytes.fromhex("b59319d7e8157ba001b018669ccee30d"), bytes.fromhex("026bcba5354e08")
GROUPS = tuple(range(1, 59))

_GROUPS_HEX = bytes(GROUPS).hex()
_IDS_HEX = f"{EV_ID.hex()}02000000000e{EVSE_ID.hex()}02000000005e11121314151617180000000000000000"
_REQ = SlacMatchReq(EV, EVSE, RUN, EV_ID, EVSE_ID)
_CNF = SlacMatchCnf(EV, EVSE, RUN, NID, NMK, EV_ID, EVSE_ID)

GOLDEN: list[tuple[Frame, str]] = [
    (
        Frame(EVERYONE, EV, SlacParmReq(RUN)),
        "ffffffffffff02000000000e88e10164600000000011121314151617180000000000000000000000000000000000000000"
        "0000000000000000000000",
    ),
    (
        Frame(EV, EVSE, SlacParmCnf(RUN, EV)),
        "02000000000e02000000005e88e10165600000ffffffffffff0a060102000000000e000011121314151617180000000000"
        "0000000000000000000000",
    ),
    (
        Frame(EVERYONE, EV, StartAttenCharInd(RUN, EV)),
        "ffffffffffff02000000000e88e1016a60000000000a060102000000000e11121314151617180000000000000000000000"
        "0000000000000000000000",
    ),
    (
        Frame(EVERYONE, EV, MnbcSoundInd(RUN, 9, bytes(range(16)), EV_ID)),
        "ffffffffffff02000000000e88e101766000000000575632474c4142303030303030303030310911121314151617180000"
        "000000000000000102030405060708090a0b0c0d0e0f",
    ),
    (
        Frame(EV, EVSE, AttenCharInd(EV, RUN, 10, GROUPS, EV_ID, EVSE_ID)),
        "02000000000e02000000005e88e1016e600000000002000000000e1112131415161718"
        f"{EV_ID.hex()}{EVSE_ID.hex()}0a3a{_GROUPS_HEX}",
    ),
    (
        Frame(EVSE, EV, AttenCharRsp(EV, RUN, 0, EV_ID, EVSE_ID)),
        "02000000005e02000000000e88e1016f600000000002000000000e1112131415161718"
        f"{EV_ID.hex()}{EVSE_ID.hex()}00",
    ),
    (
        Frame(EVSE, MODEM, AttenProfileInd(EV, GROUPS)),
        f"02000000005e00b05200000188e1018660000002000000000e3a00{_GROUPS_HEX}",
    ),
    (Frame(EVSE, EV, _REQ), f"02000000005e02000000000e88e1017c60000000003e00{_IDS_HEX}"),
    (
        Frame(EV, EVSE, _CNF),
        f"02000000000e02000000005e88e1017d60000000005600{_IDS_HEX}026bcba5354e0800{NMK.hex()}",
    ),
    (
        Frame(MODEM, EV, SetKeyReq(NID, NMK)),
        "00b05200000102000000000e88e1010860000001aaaaaaaa000000000400000000026bcba5354e0801b59319d7e8157ba0"
        "01b018669ccee30d000000",
    ),
    (
        Frame(EV, MODEM, SetKeyCnf(1, your_nonce=b"\xaa" * 4)),
        "02000000000e00b05200000188e101096000000100000000aaaaaaaa040000000000000000000000000000000000000000"
        "0000000000000000000000",
    ),
    (Frame(EVSE, EV, ValidateReq(1)), "02000000005e02000000000e88e10178600000000101" + "00" * 38),
    (Frame(EV, EVSE, ValidateCnf(3, 2)), "02000000000e02000000005e88e10179600000000302" + "00" * 38),
]

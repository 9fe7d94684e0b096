"""Links to other machines: JSON-RPC, OCPP, V2GTP; EXI has a package of its own, ``v2glab.links.exi``."""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.links._jsonrpc import JsonRpcClient, serve_json_rpc
    from v2glab.links._ocpp_frame import (
        Call,
        CallError,
        CallResult,
        ErrorCode,
        FrameError,
        encode_frame,
        parse_frame,
    )
    from v2glab.links._ocpp_peer import OcppPeer, Seen
    from v2glab.links._ocpp_schema import SUBPROTOCOL, check_payload, known_actions
    from v2glab.links._v2gtp import (
        SdpRequest,
        SdpResponse,
        V2gtpError,
        V2gtpFrame,
        V2gtpFramer,
        build_sdp,
        build_v2gtp,
        parse_sdp,
        parse_v2gtp,
        payload_name,
        payload_type_of,
    )

_HOMES = {
    "_jsonrpc": ["JsonRpcClient", "serve_json_rpc"],
    "_ocpp_frame": [
        "Call",
        "CallError",
        "CallResult",
        "ErrorCode",
        "FrameError",
        "encode_frame",
        "parse_frame",
    ],
    "_ocpp_peer": ["OcppPeer", "Seen"],
    "_ocpp_schema": ["SUBPROTOCOL", "check_payload", "known_actions"],
    "_v2gtp": [
        "SdpRequest",
        "SdpResponse",
        "V2gtpError",
        "V2gtpFrame",
        "V2gtpFramer",
        "build_sdp",
        "build_v2gtp",
        "parse_sdp",
        "parse_v2gtp",
        "payload_name",
        "payload_type_of",
    ],
}

__all__ = [
    "SUBPROTOCOL",
    "Call",
    "CallError",
    "CallResult",
    "ErrorCode",
    "FrameError",
    "JsonRpcClient",
    "OcppPeer",
    "SdpRequest",
    "SdpResponse",
    "Seen",
    "V2gtpError",
    "V2gtpFrame",
    "V2gtpFramer",
    "build_sdp",
    "build_v2gtp",
    "check_payload",
    "encode_frame",
    "known_actions",
    "parse_frame",
    "parse_sdp",
    "parse_v2gtp",
    "payload_name",
    "payload_type_of",
    "serve_json_rpc",
]

__getattr__ = lazy_attributes(__name__, _HOMES)

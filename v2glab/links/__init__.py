"""Links to other machines: JSON-RPC, OCPP."""

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

__all__ = [
    "SUBPROTOCOL",
    "Call",
    "CallError",
    "CallResult",
    "ErrorCode",
    "FrameError",
    "JsonRpcClient",
    "OcppPeer",
    "Seen",
    "check_payload",
    "encode_frame",
    "known_actions",
    "parse_frame",
    "serve_json_rpc",
]

"""Links to other machines: JSON-RPC, OCPP."""

from v2glab.links._jsonrpc import JsonRpcClient, serve_json_rpc

__all__ = ["JsonRpcClient", "serve_json_rpc"]

"""Numeric addresses of the vehicle link; names are never looked up: that could block, and leaves the link."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from v2glab.evidence import InputError


def resolve(host: str, port: int, *, lowest: int) -> tuple[int, tuple[Any, ...]]:
    """Return family and socket address of a numeric address; names are not looked up.

    Raises
    ------
    InputError
        It is no numeric address, has an unknown scope, or the port is out of range.
    """
    if not lowest <= port <= 0xFFFF:
        raise InputError(f"port {port}", f"{lowest} to 65535", "mend the port")
    try:
        version = ipaddress.ip_address(host).version
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        ((family, _, _, _, address), *_) = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=flags
        )
    except (ValueError, OSError) as error:
        required = "a numeric address, link-local ones with their interface, such as fe80::1%eth0"
        raise InputError(f"address {host!r:.80}: {error}", required, "mend the address") from error
    return (socket.AF_INET6 if version == 6 else family), address

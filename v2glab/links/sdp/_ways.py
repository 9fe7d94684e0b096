"""How discovery travels, and its times as data."""

from __future__ import annotations

import socket
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import Field

from v2glab.evidence import Confidence, DeviceError
from v2glab.links._address import resolve
from v2glab.links._rules import Rule, read_rules, rule_file

Address = tuple[Any, ...]
#: Kinds of unfit datagrams that are told apart; the rest is counted together, so that noise fills no memory.
_KINDS = 32


class SdpRules(Rule):
    """Where requests go, and the times of discovery."""

    group: str
    port: int = Field(ge=1, le=0xFFFF)
    response_s: float = Field(gt=0)
    attempts: int = Field(ge=1)
    source: str = Field(min_length=1)
    confidence: Confidence


@cache
def load_sdp_rules() -> SdpRules:
    """Read the times of discovery (``datasets/iso15118/sdp.toml``).

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    return read_rules(SdpRules, rule_file("sdp.toml"), "times of discovery")


@dataclass(frozen=True)
class Multicast:
    """Ask everybody on one interface, as the standard has it. ``port`` 0 takes the standard's."""

    interface: str
    port: int = 0


@dataclass(frozen=True)
class Direct:
    """Ask one numeric address; needs no privileges and no multicast."""

    host: str
    port: int


def server_socket(way: Multicast | Direct) -> socket.socket:
    """Return the socket of a charger."""
    if isinstance(way, Direct):
        family, address = resolve(way.host, way.port, lowest=0)
        return _open(family, str(way), lambda link: link.bind(address))
    index, port = _index(way.interface), way.port or load_sdp_rules().port

    def join(link: socket.socket) -> None:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Requests of another link are none of this charger's vehicles.
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, way.interface.encode() + b"\0")
        link.bind(("::", port))
        member = socket.inet_pton(socket.AF_INET6, load_sdp_rules().group) + index.to_bytes(4, sys.byteorder)
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)

    return _open(socket.AF_INET6, str(way), join)


def client_socket(way: Multicast | Direct) -> tuple[socket.socket, Address]:
    """Return the socket of a vehicle, and where its requests go."""
    if isinstance(way, Direct):
        family, address = resolve(way.host, way.port, lowest=1)
        # Connected: datagrams of anybody else do not even arrive.
        return _open(family, str(way), lambda link: link.connect(address)), address
    index, port = _index(way.interface), way.port or load_sdp_rules().port

    def aim(link: socket.socket) -> None:
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        link.bind(("::", 0))

    return _open(socket.AF_INET6, str(way), aim), (load_sdp_rules().group, port, 0, index)


def _open(family: int, what: str, prepare: Callable[[socket.socket], None]) -> socket.socket:
    link = socket.socket(family, socket.SOCK_DGRAM)
    try:
        link.setblocking(False)
        prepare(link)
    except OSError as error:
        link.close()
        required = "an interface or address of this machine with a free UDP port"
        raise DeviceError(f"{what}: {error.strerror}", required, "see what holds the port") from error
    return link


def _index(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except (OSError, ValueError) as error:
        known = ", ".join(name for _, name in socket.if_nameindex())
        raise DeviceError(
            f"no interface {interface!r:.40}", f"one of {known}", "name one of those"
        ) from error


def count(counter: Counter[str], what: str) -> None:
    """Count one kind of datagram that did not fit."""
    counter[what if what in counter or len(counter) < _KINDS else "other"] += 1

"""A device between vehicle and charger that delays or changes octets of the handshake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Literal

Between = Literal["", "slow", "damaged", "signature", "extension"]
Change = Callable[[bytes], bytes]
#: Own value: more than the negotiation may take, so that one answer held back is enough.
_DELAY_S = 0.3
# Types of TLS records and messages (RFC 8446, 5.1; RFC 5246, 7.4).
_HANDSHAKE, _PROTECTED = 22, 23
_CLIENT_HELLO, _SERVER_KEY_EXCHANGE = 1, 12
_EXTENDED_MASTER_SECRET, _UNKNOWN = b"\x00\x17\x00\x00", b"\x5a\x5a\x00\x00"


@asynccontextmanager
async def stand_between(kind: Between, port: int) -> AsyncIterator[int]:
    """Listen in front of a charger's port; the port to connect to is given.

    ``slow`` holds every answer back; ``damaged`` changes protected records of TLS 1.3; ``signature`` changes
    the signature of the key exchange, and ``extension`` the ClientHello, of TLS 1.2.
    """
    open_ends: set[asyncio.StreamWriter] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("::1", port)
        open_ends.update((writer, inner_writer))
        await asyncio.gather(
            _pump(reader, inner_writer, _UP.get(kind, _same), 0.0),
            _pump(inner_reader, writer, _DOWN.get(kind, _same), _DELAY_S if kind == "slow" else 0.0),
        )

    server = await asyncio.start_server(meet, "::1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in open_ends:
            writer.close()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Change, delay_s: float
) -> None:
    try:
        while data := await reader.read(1 << 16):
            await asyncio.sleep(delay_s)
            writer.write(change(data))
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _records(data: bytes) -> Iterator[bytes]:
    while len(data) >= 5:
        size = 5 + int.from_bytes(data[3:5], "big")
        yield data[:size]
        data = data[size:]
    if data:
        yield data


def _last_flipped(record: bytes) -> bytes:
    return record[:-1] + bytes([record[-1] ^ 1])


def _same(data: bytes) -> bytes:
    return data


def _damage(data: bytes) -> bytes:
    return b"".join(_last_flipped(r) if r[0] == _PROTECTED else r for r in _records(data))


def _spoil_signature(data: bytes) -> bytes:
    return b"".join(
        _last_flipped(r) if r[0] == _HANDSHAKE and r[5:6] == bytes([_SERVER_KEY_EXCHANGE]) else r
        for r in _records(data)
    )


def _hide_extension(data: bytes) -> bytes:
    hello = data[:1] == bytes([_HANDSHAKE]) and data[5:6] == bytes([_CLIENT_HELLO])
    return data.replace(_EXTENDED_MASTER_SECRET, _UNKNOWN) if hello else data


_UP: dict[str, Change] = {"extension": _hide_extension}
_DOWN: dict[str, Change] = {"damaged": _damage, "signature": _spoil_signature}

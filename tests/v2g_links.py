"""Both ends of a vehicle link for tests: certificates, echo, relay, and the openssl command as a peer."""

import asyncio
import contextlib
import socket
import subprocess
import time

from v2glab.links.pki import break_chain, make_pki, write_pki
from v2glab.links.tls import HandshakeError, TlsSettings, connect_tls, serve_tls

KINDS = [("iso15118-20", "secp521r1"), ("iso15118-20", "ed448"), ("iso15118-2", "secp256r1")]


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 30))


def files_of(pki, folder, role="", defect=""):
    broken = [break_chain(pki, role, defect)] if defect else []
    return write_pki(pki, folder, broken=broken), (broken[0] if broken else None)


def both(files, edition="iso15118-20", curve="secp521r1", **more):
    """Settings of vehicle and charger; keys with an end's name before them go to that end."""
    ends = []
    for end in ("evcc", "secc"):
        own = {k.removeprefix(f"{end}_"): v for k, v in more.items() if k.startswith(f"{end}_")}
        ends.append(TlsSettings(end, own.pop("files", files), edition, own.pop("curve", curve), **own))
    return ends


async def echo(stream):
    while data := await stream.read():
        await stream.write(data)


async def meet(evcc, secc, *, through=None, handler=echo, alert=True):
    """Let both ends meet: what the vehicle got (stream facts or error), and what the charger was told."""
    told = []
    listener = await serve_tls(secc, handler, port=0, on_failure=told.append)
    async with listener:
        port, relay = listener.port, None
        if through is not None:
            relay = await asyncio.start_server(lambda r, w: _pump(r, w, listener.port, through), "::1", 0)
            port = relay.sockets[0].getsockname()[1]
        try:
            stream = await connect_tls("::1", port, evcc)
            try:
                await stream.write(b"first")
                answer = await stream.read()
                return Met(stream, answer, None), told
            finally:
                await stream.close()
        except HandshakeError as error:
            # The other end may still be sending its alert.
            deadline = time.monotonic() + 2
            while alert and not told and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            return Met(None, b"", error), told
        finally:
            if relay is not None:
                relay.close()


class Met:
    def __init__(self, stream, answer, error):
        self.stream, self.answer, self.error = stream, answer, error

    @property
    def cause(self):
        assert self.error is not None, "the connection came about"
        return self.error.cause


async def _pump(reader, writer, port, through):
    onward_reader, onward = await asyncio.open_connection("::1", port)

    async def carry(source, target, direction):
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                # The relay's function changes, keeps (empty) or passes octets; it may wait.
                changed = through(direction, data)
                data = await changed if asyncio.iscoroutine(changed) else changed
                if data is None:
                    break
                target.write(data)
                await target.drain()
        with contextlib.suppress(OSError):
            target.close()

    await asyncio.gather(carry(reader, onward, "up"), carry(onward_reader, writer, "down"))


def free_port():
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def openssl_server(*arguments):
    """The openssl command as a charger; yields its port."""
    port = free_port()
    command = ["openssl", "s_server", "-accept", f"[::1]:{port}", "-quiet", *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("::1", port), 1):
                break
            time.sleep(0.05)
        try:
            yield port
        finally:
            process.kill()


def pki_of(edition="iso15118-20", curve="secp521r1", **more):
    return make_pki(edition, curve=curve, **more)

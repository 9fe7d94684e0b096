"""TLS of the vehicle link against the openssl command, and what is kept of a good connection."""

import asyncio
import hashlib
import hmac
import random
import re
import stat
import subprocess
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding
from v2g_links import KINDS, both, echo, files_of, meet, openssl_server, pki_of, run

from v2glab.evidence import DeviceError, InputError, StorageError
from v2glab.links.pki import Reason, write_pki
from v2glab.links.pki._certificate import revocation_list
from v2glab.links.tls import (
    FIXED_PORT,
    HandshakeError,
    TlsSettings,
    connect_plain,
    connect_tls,
    load_tls_rules,
    serve_plain,
    serve_tls,
)


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def kind(request, tmp_path_factory):
    edition, curve = request.param
    pki = pki_of(edition, curve)
    return pki, write_pki(pki, tmp_path_factory.mktemp("tls") / "pki")


@pytest.fixture(scope="module")
def part_20(tmp_path_factory):
    pki = pki_of()
    return pki, write_pki(pki, tmp_path_factory.mktemp("tls") / "pki")


def test_both_ends_meet_as_the_edition_asks(kind):
    pki, files = kind
    met, told = run(meet(*both(files, pki.edition, pki.curve)))
    assert met.answer == b"first" and told == []
    stream, profile = met.stream, load_tls_rules().profile[pki.edition]
    assert stream.version == profile.version
    assert stream.suite in {suite.openssl for suite in profile.suites}
    assert stream.findings == () and stream.confirmed and stream.slow is None
    assert stream.peer_chain == tuple(c.public_bytes(Encoding.DER) for c in pki.chain("secc"))


def test_the_charger_sees_the_vehicles_chain_in_part_20_and_none_in_part_2(kind):
    pki, files = kind
    seen = []

    async def note(stream):
        seen.append(stream.peer_chain)
        await echo(stream)

    run(meet(*both(files, pki.edition, pki.curve), handler=note))
    want = pki.chain("vehicle") if pki.edition == "iso15118-20" else ()
    assert seen == [tuple(c.public_bytes(Encoding.DER) for c in want)]


def test_openssl_as_a_vehicle(kind):
    pki, files = kind

    async def ask():
        _, secc = both(files, pki.edition, pki.curve)
        async with await serve_tls(secc, echo, port=0) as listener:
            command = ["openssl", "s_client", "-connect", f"[::1]:{listener.port}", "-ign_eof"]
            command += ["-CAfile", files.roots("secc"), "-verify_return_error"]
            if pki.edition == "iso15118-20":
                command += ["-cert", files.chain("vehicle"), "-cert_chain", files.chain("vehicle")]
                command += ["-key", files.key("vehicle"), "-groups", "P-521:X448"]
            process = await asyncio.create_subprocess_exec(
                *map(str, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            process.stdin.write(b"to the charger\n")
            out = b""
            while out.count(b"to the charger\n") < 1:
                line = await process.stdout.readline()
                assert line, out
                out += line
            process.kill()
            await process.wait()
            return out.decode()

    text = run(ask())
    assert "Verify return code: 0 (ok)" in text
    wanted = {
        "secp521r1": ["New, TLSv1.3", "ECDH, secp521r1", "Peer signature type: ECDSA", "SHA512"],
        "ed448": ["New, TLSv1.3", "Server Temp Key: X448", "Peer signature type: ed448"],
        "secp256r1": ["ECDHE-ECDSA-AES128-SHA256", "ECDH, prime256v1"],
    }[pki.curve]
    assert all(word in text for word in wanted), text


def test_openssl_as_a_charger(kind):
    """The command shows its own certificate twice with this option: what leads nowhere does no harm."""
    pki, files = kind
    more = ["-cert", files.chain("secc"), "-cert_chain", files.chain("secc"), "-key", files.key("secc")]
    if pki.edition == "iso15118-20":
        more += ["-CAfile", files.roots("vehicle"), "-Verify", "4", "-verify_return_error", "-tls1_3"]
    else:
        more += ["-tls1_2"]

    async def ask(port):
        evcc, _ = both(files, pki.edition, pki.curve)
        stream = await connect_tls("::1", port, evcc)
        await stream.write(b"forward\n")
        answer = b""
        while not answer.endswith(b"\n"):
            answer += await stream.read()
        await stream.close()
        return answer

    with openssl_server("-rev", *more) as port:
        assert run(ask(port)) == b"drawrof\n"


def test_many_octets_both_ways_at_once(part_20):
    _, files = part_20
    sent = bytes(range(256)) * 8192

    async def ask():
        evcc, secc = both(files)
        async with await serve_tls(secc, echo, port=0) as listener:
            stream = await connect_tls("::1", listener.port, evcc)
            writing, came = asyncio.create_task(stream.write(sent)), b""
            while len(came) < len(sent):
                came += await stream.read()
            await writing
            await stream.close()
            return came

    assert run(ask()) == sent


def test_fifty_vehicles_at_once(tmp_path):
    pki = pki_of("iso15118-2", "secp256r1")
    files, _ = files_of(pki, tmp_path / "pki")

    async def ask():
        evcc, secc = both(files, pki.edition, pki.curve)
        async with await serve_tls(secc, echo, port=0) as listener:

            async def one(number):
                stream = await connect_tls("::1", listener.port, evcc)
                await stream.write(b"%d" % number)
                answer = await stream.read()
                await stream.close()
                return answer

            return await asyncio.gather(*map(one, range(50)))

    assert run(ask()) == [b"%d" % number for number in range(50)]


def expand(secret, label, length, digest):
    """HKDF-Expand-Label with an empty context (RFC 8446, 7.1)."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
    out, block, count = b"", b"", 0
    while len(out) < length:
        count += 1
        block = hmac.new(secret, block + info + bytes([count]), digest).digest()
        out += block
    return out[:length]


def test_the_key_log_opens_a_capture(part_20, tmp_path):
    _, files = part_20
    log, wire = tmp_path / "keys.log", bytearray()

    def tap(direction, data):
        if direction == "down":
            wire.extend(data)
        return data

    met, _ = run(meet(*both(files, evcc_key_log=log), through=tap))
    assert met.stream.suite == "TLS_AES_256_GCM_SHA384"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    (secret,) = re.findall(r"^SERVER_TRAFFIC_SECRET_0 [0-9a-f]{64} ([0-9a-f]+)$", log.read_text(), re.M)
    secret = bytes.fromhex(secret)
    key, iv = expand(secret, b"key", 32, hashlib.sha384), expand(secret, b"iv", 12, hashlib.sha384)
    plain, number = [], 0
    while wire:
        size = 5 + int.from_bytes(wire[3:5], "big")
        header, body = bytes(wire[:5]), bytes(wire[5:size])
        del wire[:size]
        nonce = bytes(a ^ b for a, b in zip(iv, number.to_bytes(12, "big"), strict=True))
        try:
            plain.append(AESGCM(key).decrypt(nonce, body, header))
        except InvalidTag:
            continue  # a record of the handshake, which has another key
        number += 1
    assert b"first\x17" in plain


def test_without_a_key_log_no_secret_is_written(part_20, tmp_path, monkeypatch):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "env.log"))
    run(meet(*both(part_20[1])))
    assert list(tmp_path.iterdir()) == []


def test_a_key_log_that_cannot_be_written_is_told(part_20, tmp_path):
    with pytest.raises(StorageError, match="key log"):
        _ = TlsSettings("evcc", part_20[1], key_log=tmp_path / "no" / "keys.log").context


def test_a_list_of_revoked_certificates_is_heeded(part_20, tmp_path):
    pki, files = part_20
    issuer, day = pki.identity("cpo-sub2"), timedelta(days=1)
    path = tmp_path / "crl.pem"
    for serials, good in (([pki.identity("secc").certificate.serial_number], False), ([], True)):
        made = revocation_list(
            serials, issuer.certificate.subject, issuer.key, pki.moment - day, pki.moment + day
        )
        path.write_bytes(made.public_bytes(Encoding.PEM))
        met, _ = run(meet(*both(files, evcc_revocations=path)))
        if good:
            assert met.answer == b"first"
        else:
            assert met.cause.name == "revoked" and met.cause.findings[0].reason is Reason.REVOKED


def test_the_fixed_port_is_that_of_the_firewall_rule():
    assert FIXED_PORT == 15118


def test_in_clear():
    async def ask():
        async with await serve_plain(echo, port=0) as listener:
            stream = await connect_plain("::1", listener.port)
            await stream.write(b"hello")
            answer = await stream.read()
            await stream.close()
            return answer

    assert run(ask()) == b"hello"


def test_a_taken_port_and_a_wrong_address_are_told():
    async def ask():
        async with await serve_plain(echo, port=0) as listener:
            with pytest.raises(DeviceError, match="in use"):
                await serve_plain(echo, port=listener.port)
        for host, port in (("charger.example", 1), ("::1", 0), ("::1", 70000), ("fe80::1%nope0", 1)):
            with pytest.raises(InputError):
                await connect_plain(host, port)
        with pytest.raises(InputError):
            await serve_plain(echo, host="localhost")

    run(ask())


@pytest.mark.parametrize("missing", ["vehicle.pem", "vehicle.key", "secc.root.pem"])
def test_a_vehicle_without_its_files_does_not_start(tmp_path, missing):
    files, _ = files_of(pki_of(curve="ed448"), tmp_path / "pki")
    (files.folder / missing).unlink()
    with pytest.raises(InputError, match="certificates of"):
        _ = TlsSettings("evcc", files, curve="ed448").context


def test_unknown_editions_and_curves_are_refused(part_20):
    for more in ({"edition": "iso15118-99"}, {"curve": "secp256r1"}):
        with pytest.raises(InputError):
            _ = TlsSettings("evcc", part_20[1], **more).context


def test_closing_a_listener_ends_what_is_under_way(part_20):
    async def ask():
        _, secc = both(part_20[1])
        listener = await serve_tls(secc, echo, port=0)
        port = listener.port
        half_open = await connect_plain("::1", port)
        await asyncio.sleep(0.05)
        await asyncio.wait_for(listener.close(), 2)
        assert await half_open.read() == b""
        with pytest.raises(HandshakeError, match="nothing listens"):
            await connect_plain("::1", port)

    run(ask())


def test_a_dynamic_port_lies_where_vehicles_look_for_it():
    # The reference stack's vehicle refuses the answer to its discovery otherwise.
    async def ports():
        listeners = []
        for _ in range(20):
            random.seed(1)
            listeners.append(await serve_plain(nobody, port=0))
        found = [listener.port for listener in listeners]
        for listener in listeners:
            await listener.close()
        return found

    async def nobody(stream):
        pass

    found = asyncio.run(ports())
    assert all(49152 <= port <= 65535 for port in found)
    assert len(set(found)) == 20

"""TLS opened with a key log, against the library that made it: every suite, KeyUpdate, loss, wrong keys."""

import os
import random
import shutil
import socket
import ssl
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given, settings
from hypothesis import strategies as st
from v2g_links import free_port

from v2glab.evidence import InputError
from v2glab.links.capture import KeyLog
from v2glab.links.capture._ciphers import expand_label, prf
from v2glab.links.capture._dialogue import Dialogue
from v2glab.links.capture._tcp import Chunk
from v2glab.links.capture._tls import Plain, TlsReader, _subjects
from v2glab.links.pki import make_pki, write_pki

#: SSL_OP_NO_ENCRYPT_THEN_MAC, which the ssl module does not name.
_MAC_INSIDE = 1 << 19
_SAID = [(True, b"request one"), (False, b"answer" * 900), (True, b"request two"), (False, b"bye")]


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Certificate and key of a charger, as files."""
    files = write_pki(make_pki("iso15118-2", curve="secp256r1"), tmp_path_factory.mktemp("keys") / "pki")
    return files.chain("secc"), files.key("secc")


def hold(chain, folder, ciphers, version, options=0):
    """A conversation between two TLS objects in memory; returns chunks and key log."""
    client, server = (ssl.SSLContext(p) for p in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER))
    server.load_cert_chain(*chain)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.keylog_filename = str(folder / "keys.log")
    for context in (client, server):
        context.minimum_version = context.maximum_version = version
        context.options |= options
        if ciphers:
            context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    pipes = [ssl.MemoryBIO() for _ in range(4)]
    ends = [client.wrap_bio(pipes[0], pipes[1]), server.wrap_bio(pipes[2], pipes[3], server_side=True)]
    chunks, clock = [], [0]

    def carry():
        for side, (out, into) in enumerate(((pipes[1], pipes[2]), (pipes[3], pipes[0]))):
            if out.pending:
                data = out.read()
                clock[0] += 1000
                chunks.append(Chunk(side == 0, clock[0], data, 0, 0, len(chunks) + 1))
                into.write(data)

    done = [False, False]
    while not all(done):
        for k, end in enumerate(ends):
            try:
                end.do_handshake()
                done[k] = True
            except ssl.SSLWantReadError:
                pass
            carry()
    for from_client, data in _SAID:
        ends[0 if from_client else 1].write(data)
        carry()
        assert ends[1 if from_client else 0].read(1 << 14) == data
    log = KeyLog()
    log.add((folder / "keys.log").read_bytes())
    return chunks, log


def heard(reader, chunks):
    return [p for chunk in chunks for p in reader.feed(chunk)]


def said(plains):
    return [(p.from_client, p.data) for p in plains]


SUITES = [
    ("", ssl.TLSVersion.TLSv1_3, 0, "TLS_AES_256_GCM_SHA384"),
    ("ECDHE-ECDSA-AES128-SHA256", ssl.TLSVersion.TLSv1_2, 0, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (
        "ECDHE-ECDSA-AES128-SHA256",
        ssl.TLSVersion.TLSv1_2,
        _MAC_INSIDE,
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    ),
    ("ECDHE-ECDSA-AES256-SHA384", ssl.TLSVersion.TLSv1_2, 0, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    ("ECDHE-ECDSA-AES256-SHA", ssl.TLSVersion.TLSv1_2, _MAC_INSIDE, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", ssl.TLSVersion.TLSv1_2, 0, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", ssl.TLSVersion.TLSv1_2, 0, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        ssl.TLSVersion.TLSv1_2,
        0,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
]


@pytest.mark.parametrize(("ciphers", "version", "options", "name"), SUITES)
def test_what_was_said_is_read(chain, tmp_path, ciphers, version, options, name):
    chunks, log = hold(chain, tmp_path, ciphers, version, options)
    reader = TlsReader(log)
    assert said(heard(reader, chunks)) == _SAID
    assert reader.suite == name and reader.undeciphered == 0 and reader.left_out == 0
    assert [e.name for e in reader.events if e.kind == 20] == ["Finished"] * 2


@pytest.mark.parametrize("case", [0, 1, 5, 7])
def test_wrong_keys_open_nothing_and_say_so(chain, tmp_path, case):
    chunks, log = hold(chain, tmp_path, *SUITES[case][:3])
    wrong = KeyLog({r: {k: bytes(len(v)) for k, v in s.items()} for r, s in log.secrets.items()})
    for keys, reason in ((wrong, "do not open"), (KeyLog(), "no keys for client random")):
        reader = TlsReader(keys)
        assert heard(reader, chunks) == [] and reader.undeciphered > 4 and reason in reader.reason


@pytest.mark.parametrize("case", range(len(SUITES)))
@pytest.mark.parametrize("missing", ["answer", "request two"])
def test_after_loss_the_number_of_the_record_is_found_again(chain, tmp_path, case, missing):
    chunks, log = hold(chain, tmp_path, *SUITES[case][:3])
    place = {"answer": -3, "request two": -2}[missing]
    gone = chunks[place]
    rest = [c for c in chunks if c is not gone]
    first_after = next(
        (c for c in rest if c.from_client is gone.from_client and c.time_ns > gone.time_ns), None
    )
    fed = [
        Chunk(c.from_client, c.time_ns, c.data, len(gone.data), 0, c.number) if c is first_after else c
        for c in rest
    ]
    plains = heard(TlsReader(log), fed)
    expected = [s for s in _SAID if s != _SAID[{-3: 1, -2: 2}[place]]]
    assert said(plains) == expected
    assert sum(p.lost for p in plains) == (first_after is not None)


@given(st.integers(1, 40), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_segments_may_cut_records_anywhere(cut_talk, size, seed):
    chunks, log = cut_talk
    pieces, chance = [], random.Random(seed)
    for c in chunks:
        at = 0
        while at < len(c.data):
            step = chance.randint(1, 40 * size)
            pieces.append(Chunk(c.from_client, c.time_ns, c.data[at : at + step], 0, 0, c.number))
            at += step
    assert said(heard(TlsReader(log), pieces)) == _SAID


@pytest.fixture(scope="module")
def cut_talk(chain, tmp_path_factory):
    return hold(chain, tmp_path_factory.mktemp("cut"), *SUITES[0][:3])


def test_damaged_octets_never_give_content_that_was_not_sent(cut_talk):
    chunks, log = cut_talk
    chance = random.Random(11)
    for _ in range(150):
        victim = chance.randrange(len(chunks))
        data = bytearray(chunks[victim].data)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        old = chunks[victim]
        fed = list(chunks)
        fed[victim] = Chunk(old.from_client, old.time_ns, bytes(data), 0, 0, old.number)
        assert all(s in _SAID for s in said(heard(TlsReader(log), fed)))


@pytest.mark.parametrize("suite", ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"])
def test_key_updates_and_other_suites_of_the_openssl_command(chain, tmp_path, suite):
    if shutil.which("openssl") is None:
        pytest.skip("no command 'openssl'")
    port, keys = free_port(), tmp_path / "keys.log"
    command = ["openssl", "s_server", "-accept", f"[::1]:{port}", "-cert", chain[0], "-key", chain[1]]
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    server = subprocess.Popen(
        [*map(str, command), "-tls1_3", "-ciphersuites", suite], **pipes, stderr=subprocess.STDOUT, text=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode, context.keylog_filename = False, ssl.CERT_NONE, str(keys)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls, chunks = context.wrap_bio(incoming, outgoing), []
    try:
        link = _reached(port)

        def pump(call):
            while True:
                try:
                    return call()
                except ssl.SSLWantReadError:
                    _flush()
                    data = link.recv(1 << 16)
                    assert data, "the server closed"
                    chunks.append(Chunk(False, len(chunks), data, 0, 0, len(chunks)))
                    incoming.write(data)

        def _flush():
            if outgoing.pending:
                data = outgoing.read()
                chunks.append(Chunk(True, len(chunks), data, 0, 0, len(chunks)))
                link.sendall(data)

        pump(tls.do_handshake)
        _flush()
        got = b""
        # "K" alone in a line asks for new keys in both directions; other lines are sent as they are.
        for line in ("before\n", "K\n", "after\n"):
            server.stdin.write(line)
            server.stdin.flush()
            if line == "K\n":
                time.sleep(0.3)
                continue
            while line.encode() not in got:
                got += pump(lambda: tls.read(1 << 14))
        tls.write(b"from the client\n")
        _flush()
        link.close()
    finally:
        server.kill()
        server.communicate()
    log = KeyLog()
    log.add(keys.read_bytes())
    reader = TlsReader(log)
    plains = heard(reader, chunks)
    assert b"".join(p.data for p in plains if not p.from_client) == b"before\nafter\n"
    assert [p.data for p in plains if p.from_client] == [b"from the client\n"]
    assert {e.end for e in reader.events if e.name == "KeyUpdate"} == {"evcc", "secc"}
    assert reader.suite == suite and reader.undeciphered == 0


def _reached(port):
    for _ in range(100):
        try:
            return socket.create_connection(("::1", port), 5)
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server never listened")


@pytest.mark.parametrize(("digest", "length"), [("sha256", 12), ("sha384", 48), ("sha256", 100)])
def test_the_key_schedule_is_that_of_the_library(digest, length):
    secret = os.urandom(48)
    info = length.to_bytes(2, "big") + b"\x09tls13 key" + b"\0"
    expected = HKDFExpand(getattr(hashes, digest.upper())(), length, info).derive(secret)
    assert expand_label(secret, "key", length, digest) == expected


def test_the_function_of_tls_12_gives_a_published_vector():
    # TLS 1.2 PRF with SHA-256, test vector of the IETF TLS working group's list.
    secret, seed = (
        bytes.fromhex("9bbe436ba940f017b17652849a71db35"),
        bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c"),
    )
    out = prf(secret, b"test label", seed, 100, "sha256")
    assert out.hex().startswith("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a")


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=80), st.booleans()), max_size=12))
@settings(max_examples=150, deadline=None)
def test_no_octets_break_the_readers(parts):
    reader, dialogue = TlsReader(KeyLog()), Dialogue()
    for k, (way, data, lost) in enumerate(parts):
        # Beginnings that look right lead deeper.
        for head in (b"", b"\x16\x03\x03\x00\x20", b"\x17\x03\x03\x00\x20"):
            list(reader.feed(Chunk(way, k, head + data, int(lost), 0, k)))
        for head in (b"", b"\x01\xfe\x80\x01\0\0\0\x08", b"\x01\xfe\x80\x02\0\0\0\x03"):
            dialogue.feed(Plain(way, k, k, head + data, lost))
    assert len(dialogue.trace.records) <= 300


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_key_log(text):
    try:
        KeyLog().add(text)
    except InputError as error:
        assert "line" in error.found


def test_a_damaged_certificate_is_shown_as_unreadable(chain):
    end = "-----END CERTIFICATE-----"
    good = ssl.PEM_cert_to_DER_cert(chain[0].read_text().partition(end)[0] + end)
    place = good.index(b"\xa0\x03\x02\x01\x02") + 4
    for bad in (good[:place] + b"\x69" + good[place + 1 :], good[:60], b""):
        assert _subjects((good, bad)).endswith("; unreadable")

"""Every way a handshake can fail gives phase, whose certificate it was, cause and remedy, at both ends."""

import asyncio
import socket
import ssl
import threading

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from v2g_links import both, echo, files_of, meet, openssl_server, pki_of, run

from v2glab.evidence import DeviceError, InputError
from v2glab.links.pki import Reason, make_pki, write_pki
from v2glab.links.tls import (
    HandshakeError,
    Phase,
    TlsSettings,
    connect_tls,
    load_tls_rules,
    serve_tls,
)
from v2glab.links.tls._watch import Watch, certificates_of

#: Causes of chains that OpenSSL refuses: it says so in an alert, and the other end learns its own fault.
BY_OPENSSL = {
    "expired": "expired",
    "not-yet-valid": "not-yet-valid",
    "self-signed": "self-signed",
    "wrong-issuer": "unknown-issuer",
    "unnamed-issuer": "unknown-issuer",
    "signature-flipped": "bad-signature",
    "critical-extension": "wrong-kind",
    "sub2-expired": "expired",
    "sub2-no-ca": "wrong-use",
    "sub2-usage": "wrong-use",
    "sub2-missing": "unknown-issuer",
    "sub1-missing": "unknown-issuer",
    "path-too-long": "wrong-use",
    "sub1-expired": "expired",
    "sub2-signature-flipped": "bad-signature",
    "other-root": "unknown-issuer",
}
#: Chains that hold, but not by the rules of the vehicle link: judged after the handshake, without an alert.
BY_OWN_RULES = {
    "wrong-domain": "wrong-kind",
    "domain-absent": "wrong-kind",
    "wrong-curve": "wrong-kind",
    "lives-too-long": "wrong-kind",
    "usage-absent": "wrong-use",
    "usage-other": "wrong-use",
}


@pytest.fixture(scope="module")
def pki():
    # Ed448 is the quicker of the two curves of part 20.
    return pki_of(curve="ed448")


@pytest.fixture(scope="module")
def good(pki, tmp_path_factory):
    return write_pki(pki, tmp_path_factory.mktemp("causes") / "pki")


def ends(files, **more):
    return both(files, curve="ed448", **more)


@pytest.mark.parametrize("defect", BY_OPENSSL)
def test_a_charger_with_a_broken_chain(pki, tmp_path, defect):
    bad, broken = files_of(pki, tmp_path / "pki", "secc", defect)
    met, told = run(meet(*ends(bad)))
    assert (met.cause.phase, met.cause.whose, met.cause.name) == (
        Phase.CERTIFICATE,
        "peer",
        BY_OPENSSL[defect],
    )
    assert [f.reason for f in met.cause.findings] == [broken.reason]
    assert met.cause.remedy and met.error.timing is not None
    (heard,) = told
    assert heard.cause.phase is Phase.CERTIFICATE and heard.cause.whose == "own"
    assert heard.cause.name == BY_OPENSSL[defect]
    assert "alert" in heard.cause.evidence[0]


@pytest.mark.parametrize("defect", BY_OPENSSL)
def test_a_vehicle_with_a_broken_chain_learns_it_at_the_first_read(pki, tmp_path, defect):
    bad, broken = files_of(pki, tmp_path / "pki", "vehicle", defect)
    met, told = run(meet(*ends(bad)))
    (judged,) = told
    assert (judged.cause.phase, judged.cause.whose, judged.cause.name) == (
        Phase.CERTIFICATE,
        "peer",
        BY_OPENSSL[defect],
    )
    assert broken.reason in [f.reason for f in judged.cause.findings]
    assert (met.cause.phase, met.cause.whose, met.cause.name) == (
        Phase.CERTIFICATE,
        "own",
        BY_OPENSSL[defect],
    )


@pytest.mark.parametrize("defect", BY_OWN_RULES)
def test_a_chain_that_only_the_vehicle_link_forbids(pki, tmp_path, defect):
    bad, broken = files_of(pki, tmp_path / "pki", "secc", defect)
    met, _ = run(meet(*ends(bad), alert=False))
    assert (met.cause.phase, met.cause.whose) == (Phase.CERTIFICATE, "peer")
    assert met.cause.name == BY_OWN_RULES[defect]
    assert [f.reason for f in met.cause.findings] == [broken.reason]
    lenient, _ = run(meet(*ends(bad, evcc_strict=False)))
    assert lenient.answer == b"first"
    assert [f.reason for f in lenient.stream.findings] == [broken.reason]


def test_a_charger_that_is_somebody_else(good):
    met, _ = run(meet(*ends(good, evcc_peer_name="DE-ABC-S-1"), alert=False))
    assert met.cause.name == "wrong-name" and met.cause.findings[0].reason is Reason.WRONG_NAME


def test_a_vehicle_that_shows_none(good):
    met, told = run(meet(*ends(good, evcc_show_certificate=False)))
    assert (met.cause.name, met.cause.whose, met.cause.phase) == ("absent", "own", Phase.CERTIFICATE)
    assert (told[0].cause.name, told[0].cause.whose) == ("absent", "peer")


@pytest.mark.parametrize("edition", ["iso15118-20", "iso15118-2"])
def test_two_editions_have_no_version_in_common(tmp_path, good, edition):
    other = write_pki(make_pki("iso15118-2"), tmp_path / "part2")
    evcc = TlsSettings("evcc", good, curve="ed448")
    secc = TlsSettings("secc", other, "iso15118-2", "secp256r1")
    if edition == "iso15118-2":
        evcc = TlsSettings("evcc", other, "iso15118-2", "secp256r1")
        secc = TlsSettings("secc", good, curve="ed448")
    met, told = run(meet(evcc, secc))
    assert (met.cause.name, met.cause.phase, met.cause.whose) == ("version", Phase.CLIENT_HELLO, "none")
    assert (told[0].cause.name, told[0].cause.phase) == ("version", Phase.CLIENT_HELLO)


def test_two_curves_have_no_group_in_common(tmp_path, good):
    other = write_pki(make_pki(), tmp_path / "p521")
    met, told = run(meet(TlsSettings("evcc", good, curve="ed448"), TlsSettings("secc", other)))
    assert (met.cause.name, met.cause.phase) == ("no-common-algorithm", Phase.CLIENT_HELLO)
    assert (told[0].cause.name, told[0].cause.phase) == ("no-common-algorithm", Phase.CLIENT_HELLO)


def test_two_ends_without_a_suite_in_common(tmp_path):
    files = write_pki(make_pki("iso15118-2"), tmp_path / "pki")
    more = ["-cert", files.chain("secc"), "-key", files.key("secc"), "-tls1_2"]
    evcc, other = TlsSettings("evcc", files, "iso15118-2", "secp256r1"), "ECDHE-ECDSA-AES256-GCM-SHA384"
    with openssl_server("-cipher", other, *more) as port, pytest.raises(HandshakeError) as caught:
        run(connect_tls("::1", port, evcc))
    assert (caught.value.cause.name, caught.value.cause.phase) == ("no-common-algorithm", Phase.CLIENT_HELLO)


class Peer:
    """A TCP server by hand: does one thing with each connection."""

    def __init__(self, act):
        self._act, self._socket = act, socket.create_server(("::1", 0), family=socket.AF_INET6)
        self.port = self._socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def _run(self):
        try:
            link, _ = self._socket.accept()
            with link:
                link.recv(65536)
                self._act(link)
        except OSError:
            pass

    def __exit__(self, *_):
        self._socket.close()


def impatient(handshake_s=0.2):
    rules = load_tls_rules()
    times = rules.timeouts.model_copy(update={"handshake_s": handshake_s, "connect_s": 0.3})
    return rules.model_copy(update={"timeouts": times})


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (lambda link: link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "no-tls"),
        (lambda link: link.sendall(b"\x01\xfe\x80\x01\x00\x00\x00\x04" + b"\x80" * 4), "no-tls"),
        (lambda link: link.close(), "closed"),
        (lambda link: link.recv(1), "timed-out"),
        (lambda link: link.sendall(bytes([21, 3, 3, 0, 2, 2, 40])), "no-common-algorithm"),
        (lambda link: link.sendall(bytes([21, 3, 3, 0, 2, 2, 70])), "version"),
    ],
)
def test_a_charger_that_does_something_else(good, act, name):
    with Peer(act) as peer, pytest.raises(HandshakeError) as caught:
        run(connect_tls("::1", peer.port, TlsSettings("evcc", good, curve="ed448", rules=impatient())))
    cause = caught.value.cause
    assert (cause.name, cause.phase, cause.whose) == (name, Phase.CLIENT_HELLO, "none")
    assert cause.certainty == ("suspected" if name == "closed" else "established")


def test_nothing_listens_is_a_matter_of_tcp(good):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(HandshakeError) as caught:
        run(connect_tls("::1", port, TlsSettings("evcc", good, curve="ed448")))
    assert (caught.value.cause.name, caught.value.cause.phase) == ("refused", Phase.TCP)
    assert "15118" in caught.value.cause.remedy and isinstance(caught.value, DeviceError)


def test_a_port_that_never_answers_is_a_matter_of_tcp(good):
    """A full queue of a listener that does not accept: the kernel drops further requests."""
    with socket.socket(socket.AF_INET6) as deaf, socket.socket(socket.AF_INET6) as first:
        deaf.bind(("::1", 0))
        deaf.listen(0)
        first.connect(deaf.getsockname())
        port = deaf.getsockname()[1]
        with pytest.raises(HandshakeError) as caught:
            run(connect_tls("::1", port, TlsSettings("evcc", good, curve="ed448", rules=impatient())))
    assert (caught.value.cause.name, caught.value.cause.phase) == ("timed-out", Phase.TCP)


def test_silence_after_the_server_spoke_is_told_from_silence_before(good):
    for kept, phase in ((0, Phase.CLIENT_HELLO), (180, Phase.CERTIFICATE)):

        def hold(direction, data, kept=kept):
            # ServerHello alone is the first record; the rest of the flight is held back.
            return (
                data if direction == "up" else data[: 5 + int.from_bytes(data[3:5], "big")] if kept else b""
            )

        met, _ = run(meet(*ends(good, evcc_rules=impatient(), secc_rules=impatient(1.0)), through=hold))
        assert (met.cause.name, met.cause.phase) == ("timed-out", phase)


def records(data):
    while len(data) >= 5:
        size = 5 + int.from_bytes(data[3:5], "big")
        yield data[:size]
        data = data[size:]


def test_a_record_that_is_changed_on_the_way(good):
    def flip(direction, data):
        parts = list(records(data))
        if direction == "down":
            parts = [p[:-1] + bytes([p[-1] ^ 1]) if p[0] == 23 else p for p in parts]
        return b"".join(parts)

    met, told = run(meet(*ends(good), through=flip))
    # ServerHello is in clear; what follows it cannot be opened. The alert says so to the charger.
    assert (met.cause.name, met.cause.phase) == ("damaged-record", Phase.CERTIFICATE)
    assert (told[0].cause.name, told[0].cause.phase) == ("damaged-record", Phase.CERTIFICATE)


def part_2(tmp_path):
    files = write_pki(make_pki("iso15118-2"), tmp_path / "pki")
    return both(files, "iso15118-2", "secp256r1")


def test_a_signature_of_the_handshake_that_is_changed_on_the_way(tmp_path):
    """TLS 1.2 signs the key exchange: the last octet of message 12 belongs to the signature."""

    def flip(direction, data):
        out = []
        for record in records(data):
            wrong = direction == "down" and record[0] == 22 and record[5] == 12
            out.append(record[:-1] + bytes([record[-1] ^ 1]) if wrong else record)
        return b"".join(out)

    met, told = run(meet(*part_2(tmp_path), through=flip))
    assert met.cause.name in {"wrong-key", "signature-refused"}
    assert (met.cause.phase, met.cause.whose) == (Phase.CERTIFICATE_VERIFY, "peer")
    assert (told[0].cause.name, told[0].cause.whose) == ("signature-refused", "own")


def test_ends_that_do_not_agree_on_what_was_said(tmp_path):
    """An extension that a device in between makes unknown: in TLS 1.2 nothing but Finished covers it."""

    def change(direction, data):
        if direction == "up" and data[0] == 22 and data[5] == 1:
            assert data.count(b"\x00\x17\x00\x00") == 1, "the extended master secret of the ClientHello"
            data = data.replace(b"\x00\x17\x00\x00", b"\x5a\x5a\x00\x00")
        return data

    met, told = run(meet(*part_2(tmp_path), through=change))
    for cause in (met.cause, told[0].cause):
        assert (cause.name, cause.phase, cause.whose) == ("finished-differs", Phase.FINISHED, "none")


def test_a_charger_that_cuts_the_connection_after_finished_is_suspected(good):
    """No alert: the vehicle's certificate is the likeliest reason, and the cause says that nobody said so."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(good.chain("secc"), good.key("secc"))
    context.load_verify_locations(good.roots("vehicle"))
    context.verify_mode, context.num_tickets = ssl.CERT_REQUIRED, 0
    context.set_ecdh_curve("X448")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:

        def serve():
            link, _ = listener.accept()
            with context.wrap_socket(link, server_side=True) as stream:
                stream.recv(1)

        threading.Thread(target=serve, daemon=True).start()

        async def ask():
            evcc = TlsSettings("evcc", good, curve="ed448")
            stream = await connect_tls("::1", listener.getsockname()[1], evcc)
            assert not stream.confirmed
            await stream.write(b"x")
            with pytest.raises(HandshakeError) as caught:
                await stream.read()
            return caught.value.cause

        cause = run(ask())
    assert (cause.name, cause.phase, cause.whose, cause.certainty) == (
        "closed",
        Phase.FINISHED,
        "own",
        "suspected",
    )


def test_a_refused_vehicle_that_writes_first_still_learns_why(pki, tmp_path):
    """Much to send, and the charger has gone: the alert goes before the error of the socket."""
    bad, _ = files_of(pki, tmp_path / "pki", "vehicle", "expired")

    async def ask():
        evcc, secc = ends(bad)
        async with await serve_tls(secc, echo, port=0) as listener:
            stream = await connect_tls("::1", listener.port, evcc)
            with pytest.raises(HandshakeError) as caught:
                for _ in range(200):
                    await stream.write(b"x" * 1000)
                    await asyncio.sleep(0.005)
            return caught.value.cause

    cause = run(ask())
    assert (cause.name, cause.phase, cause.whose) == ("expired", Phase.CERTIFICATE, "own")


def test_noise_on_the_chargers_port_harms_nobody(good):
    evcc, secc = ends(good, secc_rules=impatient(0.5))
    told = []

    async def ask():
        async with await serve_tls(secc, echo, port=0, on_failure=told.append) as listener:
            for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 50, b"\x16\x03\x01\xff\xff" + b"x" * 99, b""):
                _, writer = await asyncio.open_connection("::1", listener.port)
                writer.write(noise)
                writer.write_eof()
                await writer.drain()
            stream = await connect_tls("::1", listener.port, evcc)
            await stream.write(b"still there")
            assert await stream.read() == b"still there"
            await stream.close()
            while len(told) < 4:
                await asyncio.sleep(0.02)

    run(ask())
    assert {failure.cause.phase for failure in told} == {Phase.CLIENT_HELLO}
    assert {failure.cause.name for failure in told} <= {"no-tls", "closed", "unforeseen-message"}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_bit_that_turns_on_the_way_gives_a_cause_and_never_another_error(good, data):
    direction = data.draw(st.sampled_from(["up", "down"]))
    place, bit = data.draw(st.integers(0, 1200)), data.draw(st.integers(0, 7))
    done = []

    def flip(way, octets):
        if way == direction and not done and len(octets) > place:
            done.append(True)
            return octets[:place] + bytes([octets[place] ^ (1 << bit)]) + octets[place + 1 :]
        return octets

    rules = impatient(0.4)
    met, _ = run(meet(*ends(good, evcc_rules=rules, secc_rules=rules), through=flip))
    if done and met.error is not None:
        assert met.cause.name in load_tls_rules().cause and met.cause.phase in list(Phase)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_a_certificate_message_of_noise_is_read_without_error(noise, with_context):
    certificates_of(noise, with_context=with_context)
    Watch().note("read", 22, noise, 0x0304 if with_context else 0x0303)


def test_a_certificate_message_is_read_as_it_was_written(pki):
    shown = [c.public_bytes(Encoding.DER) for c in pki.chain("secc")]
    listed = b"".join(len(c).to_bytes(3, "big") + c + b"\x00\x00" for c in shown)
    body = b"\x00" + len(listed).to_bytes(3, "big") + listed
    message = b"\x0b" + len(body).to_bytes(3, "big") + body
    assert certificates_of(message, with_context=True) == shown
    listed = b"".join(len(c).to_bytes(3, "big") + c for c in shown)
    body = len(listed).to_bytes(3, "big") + listed
    assert certificates_of(b"\x0b" + len(body).to_bytes(3, "big") + body, with_context=False) == shown


def test_a_key_of_another_certificate_is_refused_before_anything_is_sent(good, pki, tmp_path):
    files, _ = files_of(pki, tmp_path / "pki")
    key = pki.identity("secc").key
    files.key("vehicle").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(InputError, match="belong together"):
        _ = TlsSettings("evcc", files, curve="ed448").context


def test_every_cause_has_a_text_and_a_remedy_and_every_reason_a_cause():
    causes = load_tls_rules().cause
    assert all(c.text and c.remedy for c in causes.values())
    covered = [reason for c in causes.values() for reason in c.reasons]
    assert sorted(covered) == sorted(set(covered)) and set(covered) == {str(r) for r in Reason}
    codes = [code for c in causes.values() for code in c.verify]
    alerts = [alert for c in causes.values() for alert in c.alerts]
    assert len(codes) == len(set(codes)) and len(alerts) == len(set(alerts))


def test_alerts_of_the_rules_are_those_of_the_standard():
    known = {a.value: a.name for a in ssl.AlertDescription}
    causes = load_tls_rules().cause
    for name, words in {"expired": "EXPIRED", "unknown-issuer": "UNKNOWN_CA", "revoked": "REVOKED"}.items():
        (alert,) = causes[name].alerts
        assert words in known[alert]
    assert "PROTOCOL_VERSION" in known[causes["version"].alerts[0]]

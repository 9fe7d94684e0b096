"""Every wrong certificate is refused, with its reason; a right one gets in whatever came before."""

import shutil
import socket
import ssl
import subprocess
import time

import pytest
from ocpp_peers import client_tls
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from v2glab.evidence import InputError
from v2glab.gateway import OcppGateway, create_pki

NAME = "STATION-1"


@pytest.fixture
def pki(tmp_path):
    return create_pki(tmp_path / "pki", NAME)


def serve(tmp_path, pki):
    return OcppGateway("127.0.0.1", 0, pki, tmp_path / "gateway.log", tmp_path / "journal.sqlite")


def knock(port, tls, name=NAME):
    """Connect, and read once: a TLS 1.3 client learns only then that it was refused."""
    with connect(
        f"wss://127.0.0.1:{port}/{name}", ssl=tls, subprotocols=["ocpp2.0.1"], proxy=None, open_timeout=20
    ) as link:
        link.send('[2,"a","Heartbeat",{}]')
        return link.recv(timeout=5)


def self_signed(folder):
    folder.mkdir()
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
    ]
    files = ["-keyout", str(folder / "station.key"), "-out", str(folder / "station.pem")]
    subprocess.run([*command, f"/CN={NAME}", *files], check=True, capture_output=True)
    return folder


def expired(tmp_path, pki):
    bad = create_pki(tmp_path / "bad", NAME, expired=("station",))
    shutil.copyfile(bad.ca, pki.ca)
    for role in ("gateway", "station"):
        shutil.copyfile(bad.certificate(role), pki.certificate(role))
        shutil.copyfile(bad.key(role), pki.key(role))
    return client_tls(pki.folder)


def other_root(tmp_path, pki):
    return client_tls(create_pki(tmp_path / "other", NAME).folder, ca=pki.ca)


def own_signature(tmp_path, pki):
    return client_tls(self_signed(tmp_path / "own"), ca=pki.ca)


def servers_certificate(tmp_path, pki):
    return client_tls(pki.folder, role="gateway")


def none_at_all(tmp_path, pki):
    return ssl.create_default_context(cafile=str(pki.ca))


def old_version(tmp_path, pki):
    context = client_tls(pki.folder)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


@pytest.mark.parametrize(
    ("client", "about", "words"),
    [
        (expired, "station", "certificate has expired"),
        (other_root, "station", "certificate signature failure|unable to get local issuer"),
        (own_signature, "station", "self-signed certificate"),
        (servers_certificate, "station", "unsuitable certificate purpose|unsupported certificate purpose"),
        (none_at_all, "station", "peer did not return a certificate"),
        (old_version, "version", "unsupported protocol"),
    ],
)
def test_a_wrong_client_is_refused_with_its_reason(tmp_path, pki, client, about, words):
    tls = client(tmp_path, pki)
    with serve(tmp_path, pki) as gateway:
        with pytest.raises((ssl.SSLError, OSError, WebSocketException)):
            knock(gateway.port, tls)
        assert gateway.wait_for(lambda: bool(gateway.refusals), 5)
        ((refusal, count),) = gateway.refusals.items()
        assert not gateway.connected(NAME) and gateway.messages == ()
    assert refusal.about == about
    assert any(word in refusal.reason for word in words.split("|")), refusal.reason
    assert count == 1
    assert "tls_rejected" in (tmp_path / "gateway.log").read_text()


def test_another_name_than_the_certificates_is_refused(tmp_path, pki):
    with serve(tmp_path, pki) as gateway:
        for name in ("STATION-2", "", "STATION-1%00", "../STATION-1x"):
            with pytest.raises(InvalidStatus) as caught:
                knock(gateway.port, client_tls(pki.folder), name)
            assert caught.value.response.status_code == 401
        reasons = gateway.rejected
        assert all(refusal.about == "station" for refusal in gateway.refusals)
    assert "certificate of 'STATION-1' used for 'STATION-2'" in reasons


def test_a_gateway_whose_certificate_ended_hears_the_stations_alert(tmp_path):
    pki = create_pki(tmp_path / "pki", NAME, expired=("gateway",))
    with serve(tmp_path, pki) as gateway:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            knock(gateway.port, client_tls(pki.folder))
        assert gateway.wait_for(lambda: bool(gateway.refusals), 5)
        ((refusal, _),) = gateway.refusals.items()
    assert (refusal.about, refusal.reason) == ("gateway", "certificate expired")


def test_a_refused_client_learns_why(tmp_path, pki):
    """The alert reaches the other end, as RFC 8446, 6.2 asks for; asyncio alone would drop it."""
    tls = expired(tmp_path, pki)
    with serve(tmp_path, pki) as gateway, socket.create_connection(("127.0.0.1", gateway.port), 5) as plain:
        plain.settimeout(5)
        link = tls.wrap_socket(plain, server_hostname="127.0.0.1")
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_EXPIRED"):
            link.recv(1)


def test_noise_on_the_port_harms_nobody(tmp_path, pki):
    with serve(tmp_path, pki) as gateway:
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 50, b"\x16\x03\x01\xff\xff" + b"x" * 100, b""):
            with socket.create_connection(("127.0.0.1", gateway.port), 5) as plain:
                plain.sendall(noise)
        assert knock(gateway.port, client_tls(pki.folder)).startswith('[3,"a"')
        assert all(refusal.about == "other" for refusal in gateway.refusals)


def test_only_tls_1_3_gets_in_and_the_shown_certificate_is_kept(tmp_path, pki):
    with serve(tmp_path, pki) as gateway:
        knock(gateway.port, client_tls(pki.folder))
        version, cipher = gateway.tls(NAME)
        shown = gateway.certificate(NAME)
    assert version == "TLSv1.3" and cipher.startswith("TLS_")
    assert shown == ssl.PEM_cert_to_DER_cert(pki.certificate("station").read_text())


@pytest.mark.parametrize("missing", ["ca.pem", "gateway.pem", "gateway.key"])
def test_a_gateway_without_certificates_does_not_start(tmp_path, pki, missing):
    (pki.folder / missing).unlink()
    with pytest.raises(InputError, match="certificates of the gateway"):
        serve(tmp_path, pki).start()


def test_a_key_of_another_certificate_is_refused(tmp_path, pki):
    shutil.copyfile(pki.key("station"), pki.key("gateway"))
    with pytest.raises(InputError):
        serve(tmp_path, pki).start()


def test_stopping_does_not_wait_for_a_half_open_handshake(tmp_path, pki):
    with serve(tmp_path, pki) as gateway:
        link = socket.create_connection(("127.0.0.1", gateway.port), 5)
        began = time.monotonic()
    assert time.monotonic() - began < 5.5, "the protocol's own time-out"
    link.close()

"""Certificates against cryptography's verifier and the openssl command."""

import stat
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import verification

from v2glab.evidence import InputError, StorageError
from v2glab.gateway import create_pki, inspect_certificate, inspect_der

NAME = "STATION-1"


def load(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def verifier(pki, moment):
    store = verification.Store([load(pki.ca)])
    return verification.PolicyBuilder().store(store).time(moment)


def openssl(pki, role, purpose):
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        purpose,
        "-CAfile",
        pki.ca,
        pki.certificate(role),
    ]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_openssl_accepts_each_certificate_for_its_own_purpose_only(tmp_path):
    pki = create_pki(tmp_path, NAME)
    assert openssl(pki, "gateway", "sslserver").returncode == 0
    assert openssl(pki, "station", "sslclient").returncode == 0
    assert "unsuitable certificate purpose" in openssl(pki, "gateway", "sslclient").stderr
    assert "unsuitable certificate purpose" in openssl(pki, "station", "sslserver").stderr


def test_the_gateway_is_valid_for_its_hosts_and_no_other(tmp_path):
    pki = create_pki(tmp_path, NAME, host_names=("gateway.example", "127.0.0.1"))
    policy, leaf = verifier(pki, datetime.now(UTC)), load(pki.certificate("gateway"))
    for name in (x509.DNSName("gateway.example"), x509.IPAddress(ip_address("127.0.0.1"))):
        chain = policy.build_server_verifier(name).verify(leaf, [])
        assert [c.subject for c in chain] == [leaf.subject, load(pki.ca).subject]
    with pytest.raises(verification.VerificationError):
        policy.build_server_verifier(x509.DNSName("other.example")).verify(leaf, [])


def test_validity_begins_and_ends_when_it_says(tmp_path):
    now = datetime(2026, 6, 1, tzinfo=UTC)
    pki = create_pki(tmp_path, NAME, now=now)
    facts = inspect_certificate(pki.certificate("gateway"))
    leaf, name = load(pki.certificate("gateway")), x509.DNSName("localhost")
    for moment, good in (
        (now, True),
        (facts.not_before - timedelta(seconds=1), False),
        (facts.not_after - timedelta(seconds=1), True),
        (facts.not_after + timedelta(seconds=1), False),
    ):
        check = verifier(pki, moment).build_server_verifier(name)
        assert bool(facts.problems(moment)) is not good
        if good:
            check.verify(leaf, [])
        else:
            with pytest.raises(verification.VerificationError):
                check.verify(leaf, [])


def test_an_expired_role_is_expired_and_the_other_is_not(tmp_path):
    pki = create_pki(tmp_path, NAME, expired=("station",))
    assert "certificate has expired" in openssl(pki, "station", "sslclient").stderr
    assert openssl(pki, "gateway", "sslserver").returncode == 0
    (problem,) = inspect_certificate(pki.certificate("station")).problems(datetime.now(UTC))
    assert problem.startswith("expired on ")


def test_keys_belong_to_their_certificates_and_to_their_owner_only(tmp_path):
    pki = create_pki(tmp_path, NAME)
    for role in ("gateway", "station"):
        key = load_pem_private_key(pki.key(role).read_bytes(), None)
        assert key.public_key() == load(pki.certificate(role)).public_key()
        assert stat.S_IMODE(pki.key(role).stat().st_mode) == 0o600
    assert not pki.key("ca").exists(), "the root's key is not kept"


def test_the_facts_are_what_openssl_prints(tmp_path):
    pki = create_pki(tmp_path, NAME)
    path = pki.certificate("gateway")
    command = [
        "openssl",
        "x509",
        "-noout",
        "-serial",
        "-subject",
        "-issuer",
        "-enddate",
        "-nameopt",
        "rfc2253",
        "-in",
    ]
    lines = subprocess.run(
        [*command, str(path)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    told = dict(line.split("=", 1) for line in lines)
    facts = inspect_certificate(path)
    assert int(facts.serial, 16) == int(told["serial"], 16)
    assert (facts.subject, facts.issuer) == (told["subject"], told["issuer"])
    assert facts.not_after == datetime.strptime(told["notAfter"], "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    assert not facts.self_signed
    assert inspect_certificate(pki.ca).self_signed
    der = subprocess.run(
        ["openssl", "x509", "-outform", "der", "-in", str(path)], capture_output=True, check=True
    )
    assert inspect_der(der.stdout, str(path)) == facts


def test_another_issuer_is_a_problem(tmp_path):
    facts = inspect_certificate(create_pki(tmp_path, NAME).certificate("station"))
    assert facts.problems(datetime.now(UTC), facts.issuer) == ()
    assert "not by 'CN=somebody'" in facts.problems(datetime.now(UTC), "CN=somebody")[0]


@pytest.mark.parametrize(
    "content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused(tmp_path, content):
    path = tmp_path / "x.pem"
    path.write_bytes(content)
    with pytest.raises(InputError):
        inspect_certificate(path)
    with pytest.raises(InputError):
        inspect_der(content, "wire")


def test_an_unknown_role_and_a_folder_that_cannot_be(tmp_path):
    with pytest.raises(InputError):
        create_pki(tmp_path, NAME, expired=("ca",))
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        create_pki(tmp_path / "file", NAME)

"""Chains of the vehicle link against the openssl command and cryptography's own verifier."""

import os
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import verification

from v2glab.evidence import InputError, StorageError
from v2glab.links.pki import (
    Reason,
    load_pki_rules,
    make_pki,
    verify_chain,
    write_pki,
)

MOMENT = datetime.now(UTC).replace(microsecond=0)
KINDS = [("iso15118-2", "secp256r1"), ("iso15118-20", "secp521r1"), ("iso15118-20", "ed448")]
LEAVES = ("secc", "cps", "oem-provisioning", "contract")


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def pki(request):
    edition, curve = request.param
    return make_pki(edition, curve=curve, moment=MOMENT)


def leaves(pki):
    return (*LEAVES, "vehicle") if pki.edition == "iso15118-20" else LEAVES


def openssl_verify(files, role, *more):
    shown = ["-untrusted", files.chain(role), files.chain(role)]
    command = ["openssl", "verify", "-x509_strict", "-CAfile", files.roots(role), *more, *shown]
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)


def openssl_text(path):
    command = ["openssl", "x509", "-noout", "-text", "-nameopt", "rfc2253", "-in", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_openssl_accepts_every_chain_for_the_whole_life_of_its_leaf(pki, tmp_path):
    files = write_pki(pki, tmp_path / "pki")
    for role in leaves(pki):
        done = openssl_verify(files, role)
        assert done.returncode == 0, done.stderr
        end = pki.identity(role).certificate.not_valid_after_utc
        for seconds, good in ((-1, True), (1, False)):
            at = int((end + timedelta(seconds=seconds)).timestamp())
            assert (openssl_verify(files, role, "-attime", str(at)).returncode == 0) is good
        assert openssl_verify(files, role, "-purpose", "crlsign").returncode != 0


def test_own_verification_agrees_and_gives_no_finding(pki):
    for role in leaves(pki):
        shown = pki.chain(role)
        assert verify_chain(shown, [pki.root(role)], MOMENT, edition=pki.edition, role=role) == ()
        # The order of what follows the leaf does not matter.
        mixed = (shown[0], *reversed(shown[1:]))
        assert verify_chain(mixed, [pki.root(role)], MOMENT, edition=pki.edition, role=role) == ()


@pytest.mark.parametrize("edition", ["iso15118-2", "iso15118-20"])
def test_cryptographys_verifier_finds_the_same_path(edition):
    """It knows P-256 and P-521, not Ed448; it wants an alternative name, so the policy asks for none."""
    pki = make_pki(edition, moment=MOMENT)
    policies = {
        "ca_policy": verification.ExtensionPolicy.permit_all().require_present(
            x509.BasicConstraints, verification.Criticality.CRITICAL, None
        ),
        "ee_policy": verification.ExtensionPolicy.permit_all(),
    }
    for role in leaves(pki):
        store = verification.Store([pki.root(role)])
        builder = verification.PolicyBuilder().store(store).time(MOMENT)
        verifier = builder.extension_policies(**policies).build_client_verifier()
        shown = pki.chain(role)
        found = verifier.verify(shown[0], list(shown[1:])).chain
        assert [c.subject for c in found] == [c.subject for c in pki.path(role)]


def test_curves_lifetimes_and_uses_are_those_of_the_rules(pki, tmp_path):
    files = write_pki(pki, tmp_path / "pki")
    shown = {"secp256r1": "NIST CURVE: P-256", "secp521r1": "NIST CURVE: P-521", "ed448": "ED448"}
    words = {
        "digital_signature": "Digital Signature",
        "content_commitment": "Non Repudiation",
        "key_encipherment": "Key Encipherment",
        "key_agreement": "Key Agreement",
        "key_cert_sign": "Certificate Sign",
        "crl_sign": "CRL Sign",
    }
    for role, identity in pki.identities.items():
        text, profile = openssl_text(files.chain(role)), pki.rules.profile[role]
        assert shown[pki.curve] in text
        assert text.split("X509v3 Key Usage: critical\n")[1].splitlines()[0].strip() == ", ".join(
            words[use] for use in profile.usage
        )
        basic = f"CA:{str(profile.ca).upper()}"
        if profile.path_length is not None:
            basic += f", pathlen:{profile.path_length}"
        assert text.split("X509v3 Basic Constraints: critical\n")[1].splitlines()[0].strip() == basic
        life = identity.certificate.not_valid_after_utc - identity.certificate.not_valid_before_utc
        assert life == timedelta(days=profile.days)
        assert f"DC={profile.domain}," in text.split("Subject: ")[1].splitlines()[0]


def test_every_path_ends_at_a_root_of_its_own_name(pki):
    for role in pki.identities:
        path = pki.path(role)
        assert all(c.issuer == i.subject for c, i in pairwise(path))
        assert path[-1].subject == path[-1].issuer


def test_keys_belong_to_their_owner_and_ca_keys_stay_away_unless_asked_for(pki, tmp_path):
    files = write_pki(pki, tmp_path / "some")
    for role in pki.identities:
        if pki.rules.profile[role].ca:
            assert not files.key(role).exists()
            continue
        assert stat.S_IMODE(files.key(role).stat().st_mode) == 0o600
        key = load_pem_private_key(files.key(role).read_bytes(), None)
        assert key.public_key() == x509.load_pem_x509_certificate(files.chain(role).read_bytes()).public_key()
    every = write_pki(pki, tmp_path / "every", ca_keys=True)
    for role in pki.identities:
        assert stat.S_IMODE(every.key(role).stat().st_mode) == 0o600


def test_keys_have_their_mode_from_the_first_moment(pki, tmp_path, monkeypatch):
    """No window in which another user could read: the mode at creation, whatever the umask."""
    seen, real = {}, os.fsync

    def look(handle):
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        seen[name] = stat.S_IMODE(os.fstat(handle).st_mode)
        real(handle)

    monkeypatch.setattr(os, "fsync", look)
    before = os.umask(0)
    try:
        write_pki(pki, tmp_path / "pki")
    finally:
        os.umask(before)
    keys = {name: mode for name, mode in seen.items() if name.endswith(".key")}
    assert keys and set(keys.values()) == {0o600}


def test_a_folder_is_whole_or_absent(pki, tmp_path, monkeypatch):
    folder, count = tmp_path / "pki", iter(range(100))

    def full(handle):
        if next(count) == 7:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError):
        write_pki(pki, folder)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(pki, tmp_path):
    write_pki(pki, tmp_path / "pki")
    before = {p: p.read_bytes() for p in (tmp_path / "pki").iterdir()}
    with pytest.raises(InputError, match="exists"):
        write_pki(pki, tmp_path / "pki")
    assert {p: p.read_bytes() for p in (tmp_path / "pki").iterdir()} == before


def test_given_names_stand_in_the_certificates():
    pki = make_pki("iso15118-2", names={"contract": "DE8AAC1234567890", "secc": "DEABCS1"})
    for role, name in (("contract", "DE8AAC1234567890"), ("secc", "DEABCS1")):
        kwargs = {"edition": pki.edition, "role": role}
        shown, roots = pki.chain(role), [pki.root(role)]
        assert verify_chain(shown, roots, pki.moment, name=name, **kwargs) == ()
        (finding,) = verify_chain(shown, roots, pki.moment, name=f"{name}X", **kwargs)
        assert finding.reason is Reason.WRONG_NAME


@pytest.mark.parametrize(
    "wrong",
    [
        {"edition": "iso15118-99"},
        {"edition": "iso15118-2", "curve": "secp521r1"},
        {"edition": "iso15118-20", "curve": "secp256r1"},
        {"edition": "iso15118-2", "names": {"vehicle": "X"}},
        {"names": {"secc": ""}},
        {"names": {"secc": "X" * 65}},
        {"names": {"nobody": "X"}},
    ],
)
def test_what_cannot_be_made_is_refused(wrong):
    with pytest.raises(InputError):
        make_pki(**wrong)


def test_part_2_has_no_vehicle_chain():
    pki = make_pki("iso15118-2", moment=MOMENT)
    with pytest.raises(InputError, match="vehicle"):
        pki.chain("vehicle")


def test_rules_have_sources_and_wrong_rules_name_the_entry(tmp_path):
    rules = load_pki_rules()
    assert all(p.source and p.confidence for p in [*rules.profile.values(), *rules.edition.values()])
    path = tmp_path / "pki.toml"
    for text in ("", "x", "standard = 1", "longest_chain = 2"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"pki\.toml"):
            load_pki_rules(path)
        load_pki_rules.cache_clear()

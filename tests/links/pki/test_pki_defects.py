"""Every broken chain is refused for its own reason and for no other; openssl agrees where RFC 5280 speaks."""

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.links.pki import (
    Reason,
    break_chain,
    defect_names,
    load_certificates,
    make_pki,
    verify_chain,
    write_pki,
)
from v2glab.links.pki._certificate import revocation_list

MOMENT = datetime.now(UTC).replace(microsecond=0)
#: What openssl says of each defect; ``None`` where only the rules of the vehicle link forbid it.
OPENSSL = {
    "expired": "certificate has expired",
    "not-yet-valid": "certificate is not yet valid",
    "self-signed": "self-signed certificate",
    "wrong-issuer": "unable to get local issuer|signature failure|issuer",
    "unnamed-issuer": "unable to get local issuer certificate",
    "signature-flipped": "certificate signature failure|unable to verify",
    "wrong-curve": None,
    "usage-absent": None,
    "usage-other": None,
    "wrong-domain": None,
    "domain-absent": None,
    "wrong-name": None,
    "revoked": "certificate revoked",
    "critical-extension": "unhandled critical extension",
    "lives-too-long": None,
    "sub2-expired": "certificate has expired",
    "sub2-not-yet-valid": "certificate is not yet valid",
    "sub2-no-ca": "invalid CA certificate|CA cert does not include",
    "sub2-usage": "key usage|invalid CA certificate|missing authority|certificate signing",
    "sub2-wrong-curve": None,
    "sub2-signature-flipped": "certificate signature failure|unable to verify",
    "sub2-revoked": "certificate revoked",
    "sub2-missing": "unable to get local issuer certificate",
    "sub1-missing": "unable to get local issuer certificate|unable to get issuer certificate",
    "path-too-long": "path length constraint exceeded",
    "sub1-expired": "certificate has expired",
    "root-expired": "certificate has expired",
    "root-wrong-curve": None,
    "other-root": "unable to get|signature failure|issuer",
}


@pytest.fixture(
    scope="module",
    params=[("iso15118-2", "secp256r1"), ("iso15118-20", "secp521r1"), ("iso15118-20", "ed448")],
    ids="-".join,
)
def pki(request):
    edition, curve = request.param
    return make_pki(edition, curve=curve, moment=MOMENT)


def judged(broken, edition):
    return verify_chain(
        broken.chain,
        broken.roots,
        MOMENT,
        edition=edition,
        role=broken.role,
        name=broken.name,
        revoked=broken.revoked,
    )


def empty_list(pki, role):
    issuer, day = pki.identity(role), timedelta(days=1)
    return revocation_list([], issuer.certificate.subject, issuer.key, MOMENT - day, MOMENT + day)


def test_every_defect_has_an_oracle():
    assert set(OPENSSL) == set(defect_names())
    assert {*Reason} - {Reason.MALFORMED, Reason.TOO_LONG, Reason.ABSENT} == {
        break_chain(make_pki("iso15118-2"), "secc", name).reason for name in defect_names()
    }


@pytest.mark.parametrize("defect", defect_names())
def test_each_defect_gives_its_own_reason_and_no_other(pki, defect):
    part_2 = pki.edition == "iso15118-2"
    for role in ("secc", "contract", "oem-provisioning", "cps") if part_2 else ("secc", "vehicle"):
        broken = break_chain(pki, role, defect)
        assert [f.reason for f in judged(broken, pki.edition)] == [broken.reason]


@pytest.mark.parametrize("defect", defect_names())
def test_openssl_says_the_same_where_rfc_5280_speaks(pki, defect, tmp_path):
    broken = break_chain(pki, "secc", defect)
    roots, shown = tmp_path / "roots.pem", tmp_path / "shown.pem"
    for path, certificates in ((roots, broken.roots), (shown, broken.chain)):
        path.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in certificates))
    command = ["openssl", "verify", "-CAfile", roots]
    if broken.revoked:
        lists = tmp_path / "crl.pem"
        told = [*broken.revoked, *(empty_list(pki, role) for role in ("cpo-sub2", "v2g-root"))]
        # The first list that fits counts: the one with an entry stands before an empty one.
        lists.write_bytes(b"".join(r.public_bytes(Encoding.PEM) for r in told))
        at = pki.rules.defect[defect].at
        command += ["-crl_check" if at == "leaf" else "-crl_check_all", "-CRLfile", lists]
    command += ["-untrusted", shown, shown]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    words = OPENSSL[defect]
    if words is None:
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode != 0
        assert any(word in done.stderr for word in words.split("|")), done.stderr


def test_rules_of_the_vehicle_link_are_told_from_confirmed_ones(pki):
    for defect in defect_names():
        (finding,) = judged(break_chain(pki, "secc", defect), pki.edition)
        own = finding.reason in {Reason.WRONG_CURVE, Reason.WRONG_DOMAIN, Reason.WRONG_NAME, Reason.LIFETIME}
        assert finding.confidence == ("unverified" if own else "confirmed")


def test_a_broken_chain_takes_the_place_of_the_good_one_on_disk(pki, tmp_path):
    broken = break_chain(pki, "secc", "expired")
    files = write_pki(pki, tmp_path / "pki", broken=[broken])
    shown = x509.load_pem_x509_certificates(files.chain("secc").read_bytes())
    assert tuple(shown) == broken.chain
    key = load_pem_private_key(files.key("secc").read_bytes(), None)
    assert key.public_key() == shown[0].public_key()
    assert tuple(x509.load_pem_x509_certificates(files.chain("contract").read_bytes())) == pki.chain(
        "contract"
    )


def test_two_faults_are_both_told_the_gravest_first(pki):
    broken = break_chain(pki, "secc", "expired")
    found = verify_chain(broken.chain, broken.roots, MOMENT, edition=pki.edition, role="secc", name="ANOTHER")
    assert [f.reason for f in found] == [Reason.EXPIRED, Reason.WRONG_NAME]


def test_the_certificate_at_fault_is_named(pki):
    for defect, place, subject in (
        ("sub2-expired", 1, "CPOSubCA2"),
        ("sub1-expired", 2, "CPOSubCA1"),
        ("root-expired", 3, "V2GRootCA"),
    ):
        (finding,) = judged(break_chain(pki, "secc", defect), pki.edition)
        assert finding.place == place and subject in finding.subject


def test_a_list_that_its_issuer_did_not_sign_revokes_nothing(pki):
    broken = break_chain(pki, "secc", "revoked")
    other = break_chain(make_pki(pki.edition, curve=pki.curve, moment=MOMENT), "secc", "revoked")
    judge = {"edition": pki.edition, "role": "secc"}
    assert verify_chain(broken.chain, broken.roots, MOMENT, revoked=other.revoked, **judge) == ()


def test_a_chain_of_another_role_is_refused(pki):
    found = verify_chain(pki.chain("contract"), [pki.root("secc")], MOMENT, edition=pki.edition, role="secc")
    assert found[0].reason is Reason.UNKNOWN_ISSUER
    found = verify_chain(pki.chain("cps"), [pki.root("secc")], MOMENT, edition=pki.edition, role="secc")
    assert Reason.WRONG_DOMAIN in {f.reason for f in found}


def test_no_chain_and_an_endless_one(pki):
    judge = {"edition": pki.edition, "role": "secc"}
    (finding,) = verify_chain([], [pki.root("secc")], MOMENT, **judge)
    assert finding.reason is Reason.ABSENT
    (finding,) = verify_chain(pki.chain("secc") * 20, [pki.root("secc")], MOMENT, **judge)
    assert finding.reason is Reason.TOO_LONG


def test_two_cas_that_sign_each_other_end_without_a_root(pki):
    found = verify_chain(
        [*pki.chain("secc")[1:], pki.chain("secc")[1]],
        [pki.root("contract")],
        MOMENT,
        edition=pki.edition,
        role="secc",
    )
    assert found[0].reason is Reason.UNKNOWN_ISSUER


def test_validity_ends_to_the_second(pki):
    leaf = pki.chain("secc")[0]
    for moment, reasons in (
        (leaf.not_valid_before_utc - timedelta(seconds=1), {Reason.NOT_YET_VALID}),
        (leaf.not_valid_before_utc, set()),
        (leaf.not_valid_after_utc, set()),
        (leaf.not_valid_after_utc + timedelta(seconds=1), {Reason.EXPIRED}),
    ):
        found = verify_chain(pki.chain("secc"), [pki.root("secc")], moment, edition=pki.edition, role="secc")
        assert {f.reason for f in found} == reasons


def test_unknown_defects_and_roles_are_refused(pki):
    for role, defect in (
        ("secc", "nothing"),
        ("v2g-root", "expired"),
        ("nobody", "expired"),
        ("cpo-sub2", "expired"),
    ):
        with pytest.raises(InputError):
            break_chain(pki, role, defect)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_hostile_bytes_give_findings_and_never_another_error(data):
    good = [c.public_bytes(Encoding.DER) for c in _hostile().chain("secc")]
    place = data.draw(st.integers(0, 2))
    edited = bytearray(good[place])
    for _ in range(data.draw(st.integers(1, 3))):
        edited[data.draw(st.integers(0, len(edited) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(edited)))
    left = bytes(edited[:cut]) if data.draw(st.booleans()) else bytes(edited)
    assume(left != good[place])
    shown = [*good[:place], left, *good[place + 1 :]]
    found = verify_chain(shown, [_hostile().root("secc")], MOMENT, edition="iso15118-2", role="secc")
    assert found, "a change anywhere in a signed certificate breaks the chain"


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_noise_is_no_certificate(noise):
    with pytest.raises(InputError):
        load_certificates([noise])


def _hostile(made=[]):  # noqa: B006 -- made once: Hypothesis and fixtures of the module do not go together
    if not made:
        made.append(make_pki("iso15118-2", moment=MOMENT))
    return made[0]

"""A real OpenSSL 1.1.1w, and a 1.0.2e, as vehicles: where they get in, and the named cause where they do not.

The nassl wheel carries both libraries. Each vehicle runs in a process of its own.
"""

import asyncio
import json
import subprocess
import sys

import pytest
from v2g_links import KINDS, both, echo, files_of, pki_of, run

from v2glab.links.pki import write_pki
from v2glab.links.tls import Phase, serve_tls

# NIDs of groups as both libraries number them (obj_mac.h).
P256, P521, X448 = 415, 716, 1035
VEHICLE = """
import json, socket, sys
from pathlib import Path
from nassl.legacy_ssl_client import LegacySslClient
from nassl.ssl_client import OpenSslVerifyEnum, OpenSslVersionEnum, SslClient

told = json.loads(sys.argv[1])
link = socket.create_connection(("::1", told["port"]), 5)
link.settimeout(5)
kind = LegacySslClient if told.get("legacy") else SslClient
more = {}
if told.get("chain"):
    more = {"client_certificate_chain": Path(told["chain"]), "client_key": Path(told["key"])}
elif told.get("silent"):
    more = {"ignore_client_authentication_requests": True}
client = kind(link, OpenSslVersionEnum[told["version"]], OpenSslVerifyEnum.PEER, Path(told["root"]), **more)
if told.get("groups"):
    client._ssl.set1_groups(told["groups"])
if told.get("ciphers"):
    client.set_cipher_list(told["ciphers"])
if told.get("sigalgs"):
    client._ssl.set1_sigalgs(told["sigalgs"])
try:
    client.do_handshake()
    client.write(b"from the old one")
    print(json.dumps({"answer": client.read(100).decode(), "cipher": client.get_current_cipher_name()}))
except Exception as error:
    client._flush_ssl_engine()  # the library has made an alert; the wrapper would leave it behind
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
"""


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def kind(request, tmp_path_factory):
    edition, curve = request.param
    pki = pki_of(edition, curve)
    return pki, write_pki(pki, tmp_path_factory.mktemp("old") / "pki")


@pytest.fixture(scope="module")
def part_20(tmp_path_factory):
    pki = pki_of()
    return pki, write_pki(pki, tmp_path_factory.mktemp("old") / "pki")


def drive(pki, files, *, show=True, **told):
    """Let an old vehicle drive up: what it saw, and what the charger was told."""
    causes = []

    async def ask():
        _, secc = both(files, pki.edition, pki.curve)
        async with await serve_tls(secc, echo, port=0, on_failure=causes.append) as listener:
            told.update(port=listener.port)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", VEHICLE, json.dumps(told), stdout=subprocess.PIPE
            )
            out, _ = await process.communicate()
            for _ in range(100):
                if causes or b"answer" in out:
                    break
                await asyncio.sleep(0.01)
            return json.loads(out)

    told.setdefault("root", str(files.roots("secc")))
    told.setdefault("version", "TLSV1_3" if pki.edition == "iso15118-20" else "TLSV1_2")
    if show and pki.edition == "iso15118-20":
        told.update(chain=str(files.chain("vehicle")), key=str(files.key("vehicle")))
    return run(ask()), causes


def test_the_peer_is_the_library_that_it_should_be():
    script = (
        "import nassl._nassl as m; data = open(m.__file__, 'rb').read(); print(b'OpenSSL 1.1.1w' in data)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_openssl_1_1_1_gets_in_on_every_curve(kind):
    seen, causes = drive(*kind)
    assert seen.get("answer") == "from the old one", seen
    assert causes == []
    part_20 = kind[0].edition == "iso15118-20"
    assert seen["cipher"] == ("TLS_AES_256_GCM_SHA384" if part_20 else "ECDHE-ECDSA-AES128-SHA256")


def only(causes):
    (failure,) = causes
    return failure.cause


def test_a_1_1_1_that_offers_only_p_256(part_20):
    seen, causes = drive(*part_20, groups=[P256])
    cause = only(causes)
    assert (cause.name, cause.phase, cause.whose) == ("no-common-algorithm", Phase.CLIENT_HELLO, "none")
    assert "alert handshake failure" in seen["error"] and "secp521r1" in cause.remedy


def test_a_1_1_1_that_cannot_verify_ed448(tmp_path):
    pki = pki_of(curve="ed448")
    files, _ = files_of(pki, tmp_path / "pki")
    # ECDSA with SHA-512 only: NIDs of the digest and of the key (evp.h, obj_mac.h).
    seen, causes = drive(pki, files, sigalgs=[674, 408])
    cause = only(causes)
    assert (cause.name, cause.phase) == ("no-common-algorithm", Phase.CLIENT_HELLO)
    assert "Ed448" in cause.remedy and "handshake failure" in seen["error"]


@pytest.mark.parametrize("legacy", [False, True], ids=["1.1.1w", "1.0.2e"])
def test_an_old_vehicle_that_speaks_tls_1_2_to_part_20(part_20, legacy):
    seen, causes = drive(*part_20, show=False, version="TLSV1_2", legacy=legacy)
    cause = only(causes)
    assert (cause.name, cause.phase, cause.whose) == ("version", Phase.CLIENT_HELLO, "none")
    assert "protocol version" in seen["error"] and "1.1.1" in cause.remedy


def test_a_1_0_2_gets_in_by_part_2(tmp_path):
    pki = pki_of("iso15118-2", "secp256r1")
    seen, causes = drive(pki, files_of(pki, tmp_path / "pki")[0], legacy=True)
    assert seen.get("answer") == "from the old one" and causes == [], seen


def test_a_part_2_vehicle_without_the_suite(tmp_path):
    pki = pki_of("iso15118-2", "secp256r1")
    files, _ = files_of(pki, tmp_path / "pki")
    _, causes = drive(pki, files, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    assert (only(causes).name, only(causes).phase) == ("no-common-algorithm", Phase.CLIENT_HELLO)


def test_a_1_1_1_without_a_certificate(part_20):
    _, causes = drive(*part_20, show=False, silent=True)
    cause = only(causes)
    assert (cause.name, cause.phase, cause.whose) == ("absent", Phase.CERTIFICATE, "peer")


def test_a_1_1_1_that_does_not_know_the_chargers_root(part_20):
    """The alert of the other library is understood: it speaks of the charger's own certificate."""
    _, files = part_20
    seen, causes = drive(*part_20, root=str(files.roots("contract")))
    cause = only(causes)
    assert (cause.name, cause.phase, cause.whose) == ("unknown-issuer", Phase.CERTIFICATE, "own")
    assert "alert 48" in cause.evidence[0] and "certificate verify failed" in seen["error"]


@pytest.mark.parametrize(
    ("defect", "name"),
    [("expired", "expired"), ("self-signed", "self-signed"), ("sub2-missing", "unknown-issuer")],
)
def test_a_1_1_1_with_a_broken_chain(tmp_path, defect, name):
    pki = pki_of(curve="ed448")
    files, broken = files_of(pki, tmp_path / "pki", "vehicle", defect)
    seen, causes = drive(pki, files)
    cause = only(causes)
    assert (cause.name, cause.phase, cause.whose) == (name, Phase.CERTIFICATE, "peer")
    assert broken.reason in [f.reason for f in cause.findings] and "error" in seen

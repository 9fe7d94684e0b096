"""One port for ISO 15118-20 in TLS 1.3 and ISO 15118-2 in TLS 1.2: the vehicle's ClientHello chooses."""

import asyncio
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from v2g_links import both, echo, meet, pki_of, run

from v2glab.links.pki import PkiFiles, write_pki
from v2glab.links.tls import TlsSettings, connect_tls, load_tls_rules, serve_tls
from v2glab.links.tls._hello import offered_version

EDITIONS = {"iso15118-20": ("secp521r1", "TLSv1.3"), "iso15118-2": ("secp256r1", "TLSv1.2")}


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """Vehicle's and charger's settings by edition; each edition has a PKI of its own."""
    made = {}
    for edition, (curve, _) in EDITIONS.items():
        files = write_pki(pki_of(edition, curve), tmp_path_factory.mktemp(edition) / "pki")
        made[edition] = both(files, edition, curve)
    return made


def hello(lowest, highest):
    """The first octets of a client of the ssl module."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = lowest, highest
    out = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    return out.read()


HELLOS = {
    "TLSv1.2": hello(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    "TLSv1.3": hello(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
}


def in_records(octets, size):
    """The same hello in records of a few octets (RFC 8446, 5.1)."""
    message = octets[5:]
    parts = [message[i : i + size] for i in range(0, len(message), size)]
    return b"".join(octets[:3] + len(part).to_bytes(2) + part for part in parts)


@pytest.mark.parametrize("order", [("iso15118-20", "iso15118-2"), ("iso15118-2", "iso15118-20")])
@pytest.mark.parametrize("edition", EDITIONS)
def test_each_vehicle_gets_the_certificate_of_its_edition(ends, edition, order):
    met, told = run(meet(ends[edition][0], [ends[name][1] for name in order]))
    assert met.answer == b"first" and told == []
    assert met.stream.version == EDITIONS[edition][1]
    assert met.stream.findings == ()


@pytest.mark.parametrize("version", HELLOS)
def test_the_version_of_a_hello_is_read_however_it_is_cut(version):
    whole = HELLOS[version]
    assert offered_version(whole) == version
    assert offered_version(whole + b"more") == version
    assert all(offered_version(whole[:cut]) is None for cut in range(len(whole)))
    for size in (1, 3, 100):
        cut = in_records(whole, size)
        assert offered_version(cut) == version
        assert offered_version(cut[:-1]) is None


@given(st.binary(max_size=80))
def test_octets_that_are_no_hello_are_never_more_than_that(octets):
    assert offered_version(octets) in {None, "", *(f"TLSv1.{n}" for n in range(4))} or octets[0] == 22


@given(st.sampled_from(sorted(HELLOS)), st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_hello_raises_nothing(version, place, value):
    octets = bytearray(HELLOS[version])
    octets[place % len(octets)] = value
    found = offered_version(bytes(octets))
    assert found is None or isinstance(found, str)


@pytest.mark.parametrize(
    "octets",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", b"\x16\x03\x01\x00\x00" * 2000, b""],
)
def test_what_is_no_hello_is_refused_and_the_charger_goes_on(ends, octets):
    told = []

    async def both_ways():
        several = [ends[name][1] for name in EDITIONS]
        async with await serve_tls(several, echo, port=0, on_failure=told.append) as listener:
            reader, writer = await asyncio.open_connection("::1", listener.port)
            writer.write(octets)
            writer.write_eof()
            await reader.read()
            writer.close()
            stream = await connect_tls("::1", listener.port, ends["iso15118-2"][0])
            await stream.close()

    run(both_ways())
    assert len(told) == 1 and str(told[0].cause.phase) == "ClientHello"


def test_a_hello_that_trickles_in_is_waited_for(ends):
    async def answer():
        several = [ends[name][1] for name in EDITIONS]
        async with await serve_tls(several, echo, port=0) as listener:
            reader, writer = await asyncio.open_connection("::1", listener.port)
            octets = HELLOS["TLSv1.2"]
            for place in range(0, len(octets), 40):
                writer.write(octets[place : place + 40])
                await writer.drain()
                await asyncio.sleep(0.002)
            head = await reader.readexactly(6)
            writer.close()
            return head

    head = run(answer())
    # A handshake record with a ServerHello, or an alert that names what does not fit: never silence.
    assert (head[0], head[5]) == (22, 2)


@pytest.mark.parametrize(
    ("edition", "curve"),
    [("iso15118-20", "ed448"), ("iso15118-20", "secp521r1"), ("iso15118-2", "secp256r1")],
)
def test_settings_of_an_edition_follow_the_curve_of_the_certificate(tmp_path, edition, curve):
    files = PkiFiles(tmp_path / "pki")
    first = TlsSettings.of_edition("secc", files, edition)
    assert first.curve == next(iter(load_tls_rules().of_edition(edition).groups))
    write_pki(pki_of(edition, curve), files.folder)
    assert TlsSettings.of_edition("secc", files, edition).curve == curve
    ends = [TlsSettings.of_edition(end, files, edition) for end in ("evcc", "secc")]
    met, told = run(meet(*ends))
    assert met.answer == b"first" and told == []

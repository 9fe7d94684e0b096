"""Documents made from the message tables, for every message and fragment of every namespace."""

import random
import threading

import pytest
from exi_documents import Maker, fragment_names
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.links.exi import decode, decode_fragment, encode, encode_fragment, messages, namespaces, prepare
from v2glab.links.exi._codec import Codec
from v2glab.links.exi._model import Content, Particle, Slot
from v2glab.links.exi._tables import Tables, load_tables

NAMESPACES = sorted(namespaces())
COMMON = "urn:iso:std:iso:15118:-20:CommonMessages"
MESSAGES = [(namespace, name) for namespace in NAMESPACES for name in messages(namespace)]


@pytest.mark.parametrize("namespace", NAMESPACES)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_message_is_read_as_it_was_written(namespace, data):
    names = messages(namespace)
    if not names:
        assert namespace.endswith(("CommonTypes", "xmldsig#"))
        return
    name = data.draw(st.sampled_from(names))
    maker = Maker(namespace, data.draw(st.randoms()), data.draw(st.sampled_from([0.0, 0.3, 0.7, 1.0])))
    document = maker.message(name)
    written = encode(namespace, name, document)
    assert decode(written, namespace) == (name, document)


@pytest.mark.parametrize("namespace", NAMESPACES)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_fragment_is_read_as_it_was_written(namespace, data):
    name, type_name = data.draw(st.sampled_from(sorted(fragment_names(namespace).items())))
    maker = Maker(namespace, data.draw(st.randoms()), data.draw(st.sampled_from([0.0, 0.5, 1.0])))
    document = maker.fragment(name, type_name)
    assert decode_fragment(encode_fragment(namespace, document), namespace) == (name, document)


@pytest.mark.parametrize(("namespace", "name"), MESSAGES, ids=lambda v: v.rpartition(":")[2])
def test_the_least_and_the_most_of_each_message(namespace, name):
    for seed, fullness in enumerate((0.0, 1.0)):
        document = Maker(namespace, random.Random(seed), fullness).message(name)
        assert decode(encode(namespace, name, document), namespace) == (name, document)


def test_what_plug_and_charge_signs_is_a_fragment():
    signed = {
        "http://www.w3.org/2000/09/xmldsig#": ["SignedInfo"],
        "urn:iso:15118:2:2013:MsgDef": [
            "AuthorizationReq", "MeteringReceiptReq", "CertificateInstallationReq", "CertificateUpdateReq",
            "ContractSignatureCertChain", "ContractSignatureEncryptedPrivateKey", "DHpublickey",
            "SalesTariff", "SignedInfo",
        ],
        COMMON: [
            "PnC_AReqAuthorizationMode", "OEMProvisioningCertificateChain", "SignedInstallationData",
            "SignedMeteringData", "AbsolutePriceSchedule", "SignedInfo",
        ],
    }  # fmt: skip
    for namespace, names in signed.items():
        assert set(names) <= set(fragment_names(namespace))


def test_long_documents_are_read_as_they_were_written():
    maker = Maker(COMMON, random.Random(1), 0.0)
    document = maker.message("PowerDeliveryReq")
    entries = [{"Duration": n, "Power": {"Exponent": n % 5, "Value": -n}} for n in range(2048)]
    document["PowerDeliveryReq"]["EVPowerProfile"] = {
        "TimeAnchor": 2**64 - 1,
        "Dynamic_EVPPTControlMode": {},
        "EVPowerProfileEntries": {"EVPowerProfileEntry": entries},
    }
    written = encode(COMMON, "PowerDeliveryReq", document)
    assert len(written) > 10_000
    assert decode(written, COMMON) == ("PowerDeliveryReq", document)


def test_a_further_table_takes_no_code():
    table = {
        "envelope": None,
        "schema": [
            {
                "namespace": "urn:example",
                "elements": {"PingReq": "Ping", "Base": "Nothing", "Left": "Side", "Right": "Side"},
                "abstract": ["Base"],
                "substitutes": {"Base": ["Left", "Right"]},
                "types": {
                    "Ping": ["@Id? string", "Number{2,4} small", ["|?", "A long", "B flag"], "=Base"],
                    "Nothing": [],
                    "Side": ["$octets", "@Mark flag"],
                },
                "values": {
                    "small": "unsignedByte 3..6",
                    "flag": ["no", "yes", "maybe"],
                    "octets": "hexBinary ..3",
                },
            }
        ],
    }
    codec = Codec(Tables("urn:example", [table]))
    ping = {"Number": [3, 4, 6], "B": "maybe", "Right": {"Mark": "yes", "value": "00FF"}}
    written = codec.writer("Ping")(1, ping, [])
    # State 0: Id, Number, escape: 01; text 0; 3 from 3: 00; end 0. Number: 0 of 1 (two at least); 0 01 0.
    # Now Number, A, B, Base, Left, Right, escape: 000 of 3; 0 11 0. Three of four: same; B: 010, 0 10 0.
    # Then Base, Left, Right, escape: 10 of 2; Mark 0 of 1, 01; text 0, length 2, octets, end; end.
    expected = "010000000100000110010010010001"
    expected += "000000010000000001111111100"
    assert f"{written:b}" == "1" + expected
    data = (written << 64 - len(expected)).to_bytes(9)[1:]
    from v2glab.links.exi._values import windows

    assert codec.reader("Ping")(data, windows(data), 0) == (
        {"Number": [3, 4, 6], "B": "maybe", "Right": {"Mark": "yes", "value": "00FF"}},
        len(expected),
    )


def test_threads_share_one_codec():
    namespace = "urn:iso:std:iso:15118:-20:DC"
    made = [
        Maker(namespace, random.Random(n), 0.5).message(name) for n, name in enumerate(messages(namespace))
    ]
    codec, failed = Codec(load_tables(namespace)), []

    def use():
        try:
            for document in made:
                ((root, content),) = document.items()
                codec.writer(f"{root}Type")(1, content, [])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_prepared_namespaces_compile_nothing_later():
    namespace = "urn:iso:std:iso:15118:-20:AC"
    prepare(namespace)
    document = Maker(namespace, random.Random(2), 1.0).message("AC_ChargeLoopRes")
    from v2glab.links.exi._codec import codec

    before = codec(namespace)._batches
    decode(encode(namespace, "AC_ChargeLoopRes", document), namespace)
    assert codec(namespace)._batches == before


def test_states_of_repeated_places():
    content = Content((Slot((Particle("a", "string"),), 0, 2), Slot((Particle("b", "string"),))))
    assert [content.state(0).bits, content.state_within(0, 1).bits, content.state_within(0, 2).bits] == [
        2,
        2,
        1,
    ]

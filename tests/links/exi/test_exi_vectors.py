"""EXI documents byte for byte: those of an open stack, and those that a Java codec confirmed."""

import json
import struct
from pathlib import Path

import pytest

from v2glab.links.exi import decode, decode_fragment, encode, encode_fragment

HERE = Path(__file__).parent
#: One document for each message and shape in runs of an open reference stack; two codecs agree on each.
OWN = json.loads((HERE / "exi_vectors_own.json").read_text())
#: Made from the message tables, then read and written again by EXIficient 1.0 from the XML Schemas.
PEER = json.loads((HERE / "exi_vectors_peer.json").read_text())


def label(row):
    return f"{row['namespace'].rpartition(':')[2]}-{row['message']}"


@pytest.mark.parametrize("row", OWN, ids=label)
def test_documents_of_an_open_stack(row):
    document = bytes.fromhex(row["exi_hex"])
    assert decode(document, row["namespace"]) == (row["message"], row["decoded"])
    assert encode(row["namespace"], row["message"], row["decoded"]) == document


@pytest.mark.parametrize("row", PEER, ids=label)
def test_documents_that_a_java_codec_confirmed(row):
    document = bytes.fromhex(row["exi_hex"])
    if row["fragment"]:
        assert decode_fragment(document, row["namespace"]) == (row["message"], row["decoded"])
        assert encode_fragment(row["namespace"], row["decoded"]) == document
    else:
        assert decode(document, row["namespace"]) == (row["message"], row["decoded"])
        assert encode(row["namespace"], row["message"], row["decoded"]) == document


@pytest.mark.real_data
def test_all_documents_on_which_two_codecs_agree(shared_data):
    vectors = json.loads(shared_data("iso15118/exi_vectors.json").read_text())["vectors"]
    agreed = [v for v in vectors if v["agreement"] == "both"]
    assert len(agreed) >= 895
    for vector in agreed:
        document = bytes.fromhex(vector["exi_hex"])
        message, decoded = decode(document, vector["namespace"])
        assert (message, decoded) == (vector["message"], vector["decoded"]), vector["id"]
        assert encode(vector["namespace"], message, decoded) == document, vector["id"]


def test_a_document_worked_out_by_hand():
    # supportedAppProtocolRes is the second of two roots: code 01 of 2 bits (a wildcard is the third).
    # ResponseCode: code 0 of 1 (an escape is the other), text 0, first of three values 00, end 0.
    # SchemaID, optional: code 00 of 2 (end and escape), text 0, 8 bits, end 0; end 0 of the root.
    bits = "01000000000000000100"
    document = b"\x80" + int(bits.ljust(24, "0"), 2).to_bytes(3)
    decoded = {"supportedAppProtocolRes": {"ResponseCode": "OK_SuccessfulNegotiation", "SchemaID": 1}}
    namespace = "urn:iso:15118:2:2010:AppProtocol"
    assert encode(namespace, "supportedAppProtocolRes", decoded) == document
    # Without SchemaID comes the end: code 01 of 2.
    del decoded["supportedAppProtocolRes"]["SchemaID"]
    bits = "010000001"
    assert decode(b"\x80" + struct.pack(">H", int(bits.ljust(16, "0"), 2)), namespace)[1] == decoded

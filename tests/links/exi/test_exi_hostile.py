"""Documents truncated, too long, changed or of another namespace; dictionaries that do not fit."""

import copy
import json
import random
from pathlib import Path

import pytest
from exi_documents import Maker
from fuzz_exi import NAMESPACES, SEEDS, check, run
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.links.exi import (
    LONGEST_DOCUMENT,
    ExiError,
    decode,
    decode_fragment,
    encode,
    encode_fragment,
    messages,
)

OWN = json.loads((Path(__file__).parent / "exi_vectors_own.json").read_text())
COMMON = "urn:iso:std:iso:15118:-20:CommonMessages"
DC = "urn:iso:std:iso:15118:-20:DC"
TWO = "urn:iso:15118:2:2013:MsgDef"


def test_every_bit_that_flips_gives_another_document_or_an_error():
    for namespace, data, fragment in SEEDS:
        # Documents of real runs in full, the long ones made from the tables every 37th bit.
        for bit in range(0, 8 * len(data), 1 if len(data) < 100 else 37):
            changed = bytearray(data)
            changed[bit >> 3] ^= 128 >> (bit & 7)
            check(bytes(changed), namespace, fragment)


def test_every_document_cut_short_is_refused():
    for namespace, data, fragment in SEEDS:
        for length in range(0, len(data), 1 if len(data) < 100 else 5):
            with pytest.raises(ExiError) as caught:
                (decode_fragment if fragment else decode)(data[:length], namespace)
            assert caught.value.bit is not None


@pytest.mark.parametrize("tail", [b"\x00", b"\x80", b"\x00" * 9, b"\xff" * 100])
def test_every_document_too_long_is_refused(tail):
    for namespace, data, fragment in SEEDS:
        with pytest.raises(ExiError, match="too many"):
            (decode_fragment if fragment else decode)(data + tail, namespace)


def test_another_namespace_gives_another_document_or_an_error():
    for _, data, fragment in SEEDS:
        for namespace in NAMESPACES:
            check(data, namespace, fragment)


@settings(max_examples=400)
@given(st.binary(max_size=200), st.sampled_from(NAMESPACES), st.booleans())
def test_any_octets_give_a_document_or_an_error(data, namespace, fragment):
    check(b"\x80" + data, namespace, fragment)


def test_random_faults_give_a_document_or_an_error():
    done, read = run(10_000, seed=3)
    assert done == 10_000
    assert read > 1000  # many faults leave a document: it was written again octet for octet


def test_element_and_bit_of_a_fault_are_named():
    row = next(r for r in OWN if r["message"] == "DC_ChargeLoopReq")
    data = bytes.fromhex(row["exi_hex"])
    with pytest.raises(ExiError) as caught:
        decode(data[:12], DC)
    assert caught.value.path == "DC_ChargeLoopReq/Header/TimeStamp"
    assert caught.value.element == "TimeStamp"
    assert 80 <= caught.value.bit <= 8 * 12
    assert "12 octets" in str(caught.value)


def test_element_and_bit_of_a_value_outside_its_range_are_named():
    # DC_EVStatus/EVRESSSOC has 7 bits for 0 to 100; the last is 10. Set all seven.
    row = next(r for r in OWN if r["message"] == "CableCheckReq" and r["namespace"] == TWO)
    data = bytes.fromhex(row["exi_hex"])
    bits = f"{int.from_bytes(data):0{8 * len(data)}b}"
    place = bits.rindex("0001010")
    changed = bits[:place] + "1111111" + bits[place + 7 :]
    with pytest.raises(ExiError) as caught:
        decode(int(changed, 2).to_bytes(len(data)), TWO)
    assert caught.value.path == "V2G_Message/Body/CableCheckReq/DC_EVStatus/EVRESSSOC"
    assert place - 8 <= caught.value.bit <= place
    assert caught.value.required == "an integer from 0 to 100"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "no octets"),
        (b"\x80", "ends after 1 octets"),
        (b"\x90\x00", "header 0x90"),
        (b"$EXI\x80\x00", "header 0x24"),
        (b"\x80" + bytes(LONGEST_DOCUMENT), "1048577 octets"),
        (b"\x80\xff\xff", "no message"),
    ],
)
def test_no_document_at_all(data, fault):
    with pytest.raises(ExiError, match=fault):
        decode(data, COMMON)


def test_no_octets_at_all():
    with pytest.raises(ExiError, match="a str"):
        decode("80400040", COMMON)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_octets_of_any_kind_are_read(kind):
    row = OWN[0]
    assert decode(kind(bytes.fromhex(row["exi_hex"])), row["namespace"])[1] == row["decoded"]


def test_unknown_namespaces_are_refused():
    for call in (
        lambda: decode(b"\x80", "urn:x"),
        lambda: encode("urn:x", "A", {"A": {}}),
        lambda: messages("urn:x"),
    ):
        with pytest.raises(InputError, match="no message table"):
            call()


def paths(node, path=()):
    """Yield the path of every part of a document."""
    yield path
    if isinstance(node, dict):
        for name, child in node.items():
            yield from paths(child, (*path, name))
    if isinstance(node, list):
        for place, child in enumerate(node):
            yield from paths(child, (*path, place))


def parent(document, path):
    for step in path[:-1]:
        document = document[step]
    return document


WRONG = [
    None,
    [],
    {},
    [[]],
    "no such value \ud800",
    -(2**70),
    2**70,
    1.5,
    float("nan"),
    b"00",
    object(),
    {"x": 1},
]


@pytest.mark.parametrize("row", OWN[::4], ids=lambda row: row["message"])
def test_every_part_replaced_by_a_wrong_value_is_refused_or_read_again(row):
    namespace, message = row["namespace"], row["message"]
    for path in paths(row["decoded"]):
        for wrong in WRONG:
            document = copy.deepcopy(row["decoded"])
            if path:
                parent(document, path)[path[-1]] = wrong
            else:
                document = wrong
            try:
                written = encode(namespace, message, document)
            except ExiError as error:
                assert error.bit is None
                continue
            assert decode(written, namespace) == (message, document)


@pytest.mark.parametrize("row", OWN[::4], ids=lambda row: row["message"])
def test_every_unknown_name_is_refused_where_it_stands(row):
    for path in paths(row["decoded"]):
        document = copy.deepcopy(row["decoded"])
        place = document
        for step in path:
            place = place[step]
        if not isinstance(place, dict) or not path:
            continue
        place["Surprise"] = 1
        with pytest.raises(ExiError, match="Surprise") as caught:
            encode(row["namespace"], row["message"], document)
        names = [step for step in path if isinstance(step, str)]
        assert caught.value.path.split("/")[: len(names)] == names


def test_every_part_left_out_is_refused_or_optional():
    refused = 0
    for namespace in NAMESPACES:
        for message in messages(namespace):
            whole = Maker(namespace, random.Random(5), 0.4).message(message)
            for path in list(paths(whole)):
                if not path or isinstance(path[-1], int):
                    continue
                document = copy.deepcopy(whole)
                del parent(document, path)[path[-1]]
                try:
                    written = encode(namespace, message, document)
                except ExiError as error:
                    refused += 1
                    missing = any(
                        words in error.fault for words in ("nothing", "0 items", "message V2G_Message")
                    )
                    assert missing or len(path) == 1
                    continue
                assert decode(written, namespace) == (message, document)
    assert refused > 1000


def test_missing_elements_are_named():
    document = copy.deepcopy(next(r for r in OWN if r["message"] == "DC_CableCheckRes")["decoded"])
    del document["DC_CableCheckRes"]["EVSEProcessing"]
    with pytest.raises(ExiError) as caught:
        encode(DC, "DC_CableCheckRes", document)
    assert (caught.value.path, caught.value.fault) == ("DC_CableCheckRes/EVSEProcessing", "nothing")


def test_a_message_of_another_name_is_refused():
    document = next(r for r in OWN if r["message"] == "CableCheckReq" and r["namespace"] == TWO)["decoded"]
    with pytest.raises(ExiError, match="message CableCheckReq"):
        encode(TWO, "CableCheckRes", document)
    with pytest.raises(ExiError, match="V2G_Message"):
        encode(COMMON, "V2G_Message", document)


def test_two_alternatives_at_once_are_refused():
    document = Maker(COMMON, random.Random(1), 0.0).message("AuthorizationReq")
    modes = {"EIM_AReqAuthorizationMode": {}}
    modes["PnC_AReqAuthorizationMode"] = Maker(COMMON, random.Random(1)).content(
        "PnC_AReqAuthorizationModeType"
    )
    document["AuthorizationReq"] |= modes
    with pytest.raises(ExiError, match="EIM_AReqAuthorizationMode") as caught:
        encode(COMMON, "AuthorizationReq", document)
    assert caught.value.path == "AuthorizationReq"


def test_elements_that_alternate_are_refused_since_a_dictionary_would_lose_their_order():
    namespace = "http://www.w3.org/2000/09/xmldsig#"
    both = encode_fragment(namespace, {"KeyInfo": {"KeyName": ["a", "b"], "MgmtData": ["c"]}})
    assert decode_fragment(both, namespace)[1] == {"KeyInfo": {"KeyName": ["a", "b"], "MgmtData": ["c"]}}
    # After the root (5 bits): Id?, eight elements, wildcard and text: 4 bits; then nine, end, text: 4 bits.
    bits = f"{int.from_bytes(both):0{8 * len(both)}b}"
    item = {letter: f"0{3:08b}{ord(letter):08b}0" for letter in "abc"}
    names = ["0000" + item["a"], "0000" + item["b"], "0110" + item["c"]]
    start = bits.index(item["a"]) - 4
    names[0] = bits[start : start + 4] + item["a"]
    assert bits[start:].startswith("".join(names))
    rest = bits[start + sum(map(len, names)) :]
    changed = bits[:start] + names[0] + names[2] + names[1] + rest
    with pytest.raises(ExiError, match="order of the table"):
        decode_fragment(int(changed, 2).to_bytes(len(both)), namespace)


def test_a_fragment_that_goes_on_is_refused():
    fragment = {"SignedMeteringData": Maker(COMMON, random.Random(1), 0.0).content("SignedMeteringDataType")}
    data = encode_fragment(COMMON, fragment)
    assert decode_fragment(data, COMMON) == ("SignedMeteringData", fragment)
    with pytest.raises(ExiError):
        decode_fragment(data[:-1], COMMON)
    with pytest.raises(ExiError, match="has one type"):
        encode_fragment(COMMON, {"NoSuchElement": {}})
    # Exponent is a number in one namespace and octets in another: the name alone does not say which.
    with pytest.raises(ExiError, match="has one type"):
        encode_fragment(COMMON, {"Exponent": {"value": 1}})

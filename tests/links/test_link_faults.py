"""Every fault that can be injected is diagnosed as its row says, and a healthy link has none."""

import asyncio

import pytest
from pydantic import ValidationError

from v2glab.evidence import InputError, LimitError
from v2glab.links.faults import explain_link, inject, inject_all, load_faults
from v2glab.links.faults._rows import Spoil

HEALTHY = [
    ("iso20-dc", "dc_bpt"),
    ("iso20-dc", "dc"),
    ("iso20-ac", "ac_bpt"),
    ("iso2", "dc"),
    ("iso2", "ac"),
    ("din", "dc"),
]
FAULTS = load_faults()


@pytest.fixture(scope="module")
def injected():
    return {i.fault.name: i for i in asyncio.run(inject_all(list(FAULTS.values())))}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_diagnosed(injected, name):
    done, wanted = injected[name], FAULTS[name].expects
    assert done.happened
    found = done.findings[FAULTS[name].noticed]
    told = {f: getattr(found, f) for f in type(wanted).model_fields}
    assert told == wanted.model_dump()
    assert found.remedy and found.text
    assert done.safe and done.right


@pytest.mark.parametrize(("protocol", "service"), HEALTHY)
def test_a_healthy_link_has_no_finding(protocol, service):
    done = asyncio.run(inject(None, protocol=protocol, service=service))
    assert done.right and done.safe and not done.findings


def test_enough_faults_over_all_phases():
    phases = {f.expects.phase for f in FAULTS.values()}
    assert len(FAULTS) >= 60
    assert phases >= {
        "SLAC", "SDP", "TCP", "TLS", "ClientHello", "certificate", "CertificateVerify", "Finished", "message",
        "loop",
    }  # fmt: skip
    kinds = {next(iter(f.spoil.model_fields_set)) for f in FAULTS.values() if f.spoil}
    assert kinds >= {
        "drop",
        "delay_s",
        "close",
        "put",
        "rename",
        "session_id",
        "repeat",
        "octets",
        "flip_bit",
        "cut",
    }
    codes = {f.expects.code for f in FAULTS.values()} | {f.expects.mrec for f in FAULTS.values()}
    assert codes >= {"F-092", "ISO-15118-403", "CX008", "CX009", "CX011", "CX012", "CX017"}


def test_what_does_not_happen_is_not_right():
    never = FAULTS["emergency-in-loop"].model_copy(update={"at": "MeteringConfirmationReq"})
    done = asyncio.run(inject(never))
    assert not done.happened and not done.findings and not done.right


def test_another_cause_than_expected_is_not_right():
    fault = FAULTS["insulation-fault"]
    other = fault.model_copy(update={"expects": fault.expects.model_copy(update={"cause": "pre-charge"})})
    assert not asyncio.run(inject(other)).right


def test_rows_that_cannot_be_meant_are_refused(tmp_path):
    with pytest.raises(ValidationError, match="one thing to do"):
        Spoil(drop=True, repeat=2)
    twice = tmp_path / "faults.toml"
    lines = ["[[fault]]", 'name = "a"', 'title = "t"', 'by = "secc"', 'noticed = "evcc"']
    row = "\n".join([*lines, 'expects = { phase = "SDP", cause = "not-found" }', ""])
    twice.write_text(row * 2)
    with pytest.raises(InputError, match="a twice"):
        load_faults(twice)
    twice.write_text(row.replace("secc", "nobody"))
    with pytest.raises(InputError, match="mend that entry"):
        load_faults(twice)


def test_an_error_of_something_else_has_no_finding():
    assert explain_link(LimitError("a", "b", "c")) is None

"""Texts and limits are data: read strictly, complete, and enough by themselves to change what is said."""

import shutil
from pathlib import Path

import pytest
from observations_bench import observe

from v2glab.diagnosis import diagnose, diagnosis_document, load_knowledge
from v2glab.diagnosis.rules import RULES
from v2glab.evidence import InputError, check_document, verdicts_document
from v2glab.resources import find_data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "diagnosis"
    shutil.copytree(find_data("datasets", "diagnosis"), copy)
    return copy


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_every_rule_has_its_entry_and_its_criteria_and_none_is_left_over():
    known = load_knowledge()
    assert set(known.entries) == set(RULES)
    used = {name for entry in known.entries.values() for name in entry.criteria}
    assert used == set(known.criteria)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("remedy =", "remdey ="),
        ("source =", "sauce ="),
        ("fault_codes = [92]", 'fault_codes = ["x"]'),
        ("settle_s = 0.1", "settle_s = nan"),
        ("v2glab.diagnosis.weld.follows", "v2glab.diagnosis.weld.nothing"),
        ('code = "F-092"', 'code = "OCPP-01"'),
        ('code = "F-092"', 'code = "F 092"'),
        ('rule = "contactor_weld"', 'rule = "pp_error"'),
        ("[parameters]", "[parameters"),
    ],
)
def test_wrong_entry_is_refused_with_its_file(folder, old, new):
    edit(folder / "contactor_weld.toml", old, new)
    with pytest.raises(InputError) as caught:
        load_knowledge(folder)
    assert "toml" in str(caught.value)


def test_missing_entry_or_parameter_is_named(folder):
    edit(folder / "contactor_weld.toml", "dead_pu = 0.1\n", "")
    with pytest.raises(InputError, match="dead_pu"):
        diagnose(observe("contactor_weld"), load_knowledge(folder))
    (folder / "contactor_weld.toml").unlink()
    load_knowledge.cache_clear()
    with pytest.raises(InputError, match=r"contactor_weld\.toml"):
        diagnose(observe(), load_knowledge(folder))


def test_words_for_a_new_reason_take_no_code(folder):
    log = '2026-01-01T00:00:01Z ERROR gateway tls_rejected reason="EE key too small"\n'
    assert not diagnose(observe(log=log)).findings
    with (folder / "certificate.toml").open("a", encoding="utf-8") as stream:
        stream.write(
            '\n[cause.weak]\ntext = "its key is too short"\nremedy = "R"\nmatch = ["key too small"]\n'
        )
    (finding,) = diagnose(observe(log=log), load_knowledge(folder)).findings
    assert "too short" in finding.cause and finding.remedy == "R"


@pytest.mark.parametrize("faults", [(), ("contactor_weld", "low_soc")])
def test_document_fits_its_schema_and_its_verdicts_fit_theirs(faults):
    found = diagnose(observe(*faults))
    document = diagnosis_document(found, station="s", run="")
    places = [*(f["rule"] for f in document["findings"]), *(o["rule"] for o in document["cannot_tell"])]
    assert len(places) + len(document["clear"]) + len(document["not_applicable"]) == len(RULES)
    check_document("verdicts-1", verdicts_document({"diagnose_faults": found.verdicts}), "here")
    for damage in ({"schema": "v2glab-diagnosis/2"}, {"findings": [{}]}, {"more": 1}):
        with pytest.raises(InputError):
            check_document("diagnosis-1", document | damage, "here")

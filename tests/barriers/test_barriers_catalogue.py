"""The catalogue, rules by name, and what measured verdicts set."""

import itertools

import pytest

from v2glab.barriers import (
    KINDS,
    Terms,
    Transformation,
    apply_evidence,
    check_catalogue,
    combine,
    load_catalogue,
    map_verdicts,
    parse_catalogue,
)
from v2glab.evidence import Criterion, InputError, Quantity, Verdict, judge


def verdict(identity: str, quantity: str, value: float, unit: str, *, upper: float | None = None) -> Verdict:
    criterion = Criterion(
        id=identity,
        title=identity,
        standard="x",
        edition="1",
        clause="1",
        quantity=quantity,
        lower=None if upper is not None else 1.0,
        upper=upper,
        unit=unit,
        source="x",
        confidence="confirmed",
    )
    return judge(criterion, Quantity(quantity, value, unit, 0.001), evidence=("wire.log",))


def test_catalogue_holds_the_draft_and_says_what_it_does_not_model() -> None:
    catalogue = load_catalogue()
    assert len(catalogue.barriers) >= 29
    modelled = [b for b in catalogue.barriers.values() if b.transformation is not None]
    assert len(modelled) >= 10
    for barrier in catalogue.barriers.values():
        assert (barrier.transformation is None) == bool(barrier.not_modelled)
        assert barrier.jurisdictions and barrier.measured_with and barrier.computed_by
    assert [b.id for b in modelled if b.touches_mobility] == ["plug_in_rate"]
    assert catalogue.barriers["double_levy"].sourced
    unsourced = {line.partition(":")[0] for line in check_catalogue(catalogue)}
    assert {"anti_islanding", "warranty_cycle_cap", "handshake_latency"} <= unsourced
    assert "double_levy" not in unsourced


def test_every_modelled_barrier_restricts_and_never_helps() -> None:
    for barrier in load_catalogue().barriers.values():
        if barrier.transformation is not None:
            terms = combine([barrier.transformation])
            assert terms != Terms(), barrier.id


def test_the_order_of_rules_never_matters() -> None:
    values = {"export_cap_kw": 5.0, "start_delay_s": 10.0, "discharge_share": 0.5}
    changes = [Transformation(kind=k, value=v, unit="1", value_source="t") for k, v in values.items()]
    changes += [c.model_copy(update={"value": c.value / 2}) for c in changes]
    results = {combine(order) for order in itertools.permutations(changes)}
    assert len(results) == 1
    terms = results.pop()
    assert (terms.export_cap_kw, terms.start_delay_s, terms.discharge_share) == (2.5, 15.0, 0.125)
    assert set(KINDS) == set(Terms.model_fields)


def test_rules_by_name_with_values() -> None:
    catalogue = load_catalogue()
    chosen = catalogue.select("double_levy, export_limit=3.6")
    assert list(chosen) == ["double_levy", "export_limit"]
    assert chosen["export_limit"].value == 3.6
    assert chosen["export_limit"].value_source == "given by the user"
    for wrong in (
        "",
        "nonsense",
        "double_levy,double_levy",
        "export_limit=-1",
        "export_limit=a",
        "demand_charge",
    ):
        with pytest.raises(InputError):
            catalogue.select(wrong)
    with pytest.raises(InputError):
        combine(catalogue.select("export_price_ratio=7").values())


def test_entries_without_source_twice_or_silent_on_mobility_are_refused() -> None:
    good = load_catalogue().barriers["plug_in_rate"].model_dump()
    with pytest.raises(InputError, match="cites"):
        parse_catalogue({"a.toml": {"barrier": [good]}})
    sources = {"sources": dict.fromkeys(good["sources"], "x")}
    assert parse_catalogue({"a.toml": {"barrier": [good], **sources}}).barriers
    with pytest.raises(InputError, match="twice"):
        parse_catalogue({"a.toml": {"barrier": [good, good], **sources}})
    with pytest.raises(InputError, match="mobility"):
        parse_catalogue({"a.toml": {"barrier": [good | {"touches_mobility": False}], **sources}})
    with pytest.raises(InputError):
        parse_catalogue({"a.toml": {"barrier": ["x"], **sources}})


def test_verdicts_set_and_flag_barriers_and_each_number_names_its_verdict() -> None:
    catalogue = load_catalogue()
    verdicts = [
        verdict("v2glab.export.enabled", "export_enable", 0.0, "1"),
        verdict("ieee1547-2018.sync.frequency.500kva", "frequency_difference", 0.9, "Hz", upper=0.3),
        verdict("v2glab.thermal.continuous-current", "continuous_current_share", 0.8, "1"),
        verdict("v2glab.export.telemetry-accuracy", "energy_difference_percent", 0.1, "%", upper=0.5),
    ]
    found = {item.barrier: item for item in map_verdicts(verdicts, catalogue)}
    assert set(found) == {"export_limit", "anti_islanding", "power_factor_reactive"}
    assert (found["export_limit"].state, found["export_limit"].value) == ("set", 0.0)
    assert found["anti_islanding"].state == "flagged"
    assert found["power_factor_reactive"].value == 0.8
    assert found["power_factor_reactive"].uncertainty == 0.001
    assert found["export_limit"].records == ("wire.log",)
    rules = apply_evidence(catalogue.select("export_limit,power_factor_reactive"), found.values())
    assert rules["export_limit"].value == 0.0
    assert rules["export_limit"].value_source == "measured: verdict v2glab.export.enabled (wire.log)"
    assert rules["power_factor_reactive"].value == 0.8


def test_a_measured_number_that_no_term_takes_is_refused_not_clipped() -> None:
    verdicts = [verdict("v2glab.thermal.continuous-current", "continuous_current_share", 1.2, "1")]
    (item,) = map_verdicts(verdicts, load_catalogue())
    assert (item.state, item.value) == ("refused", None)


def test_passed_and_foreign_verdicts_say_nothing() -> None:
    verdicts = [
        verdict("v2glab.export.enabled", "export_enable", 1.1, "1"),
        verdict("somebody.else", "export_enable", 0.0, "1"),
    ]
    assert map_verdicts(verdicts, load_catalogue()) == []

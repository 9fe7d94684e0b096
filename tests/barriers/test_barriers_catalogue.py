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
from v2glab.evidence import Criterion, InputError, Quantity, Verdict, judge, load_criteria
from v2glab.gridcodes.conformity import FAMILIES
from v2glab.procedures import NAMES
from v2glab.resources import find_data


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
    # What is left out is left out for a reason that the catalogue gives.
    assert [b.id for b in catalogue.barriers.values() if b.transformation is None] == ["data_access"]
    assert {b.transformation.kind for b in modelled if b.transformation} >= {
        "demand_charge_eur_per_kw_month",
        "bid_least_kw",
        "bid_symmetric",
        "bid_block_h",
        "penalty_eur_per_mwh",
        "no_stacking",
        "grid_charge_or_export",
        "reserve_share",
    }
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
        "data_access",
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
    found = {item.barrier: item for item in map_verdicts({"test": verdicts}, catalogue)}
    assert set(found) == {"export_limit", "anti_islanding", "thermal_derating", "submetering"}
    assert (found["export_limit"].state, found["export_limit"].value) == ("set", 0.0)
    assert found["anti_islanding"].state == "flagged"
    assert found["thermal_derating"].value == 0.8
    assert found["thermal_derating"].uncertainty == 0.001
    assert (found["submetering"].value, found["submetering"].outcome) == (0.0, "pass")
    assert found["export_limit"].records == ("wire.log",)
    rules = apply_evidence(catalogue.select("export_limit,thermal_derating"), found.values())
    assert rules["export_limit"].value == 0.0
    assert rules["export_limit"].value_source == "measured: verdict v2glab.export.enabled (test: wire.log)"
    assert rules["thermal_derating"].value == 0.8


def test_a_number_that_no_term_takes_is_refused_unless_more_means_that_nothing_is_lost() -> None:
    share = [verdict("v2glab.thermal.continuous-current", "continuous_current_share", 1.2, "1")]
    (item,) = map_verdicts({"calibrate_thermal": share}, load_catalogue())
    assert (item.state, item.value, item.uncertainty) == ("set", 1.0, 0.0)
    assert "1.2 is more than 1" in item.reason
    wrong = Quantity("efficiency_dc_to_ac", 1.2, "1", 0.01)
    (item,) = map_verdicts({}, load_catalogue(), {"export_load_test": [wrong]})
    assert (item.barrier, item.state, item.value) == ("connector_ac_dc", "refused", None)


def test_each_of_the_seven_parameters_is_set_by_what_procedures_measure() -> None:
    catalogue = load_catalogue()
    verdicts = {
        "conformity": [
            verdict(
                f"some-code.conformity.enter-service.case-{case}.delay", "enter_service_delay", delay, "s"
            )
            for case, delay in (("1", 301.0), ("3", 605.0))
        ],
        "connect_ocpp": [verdict("v2glab.ocpp.round-trip", "round_trip_p95", 0.2, "s", upper=1.0)],
        "calibrate_thermal": [
            verdict("v2glab.thermal.continuous-current", "continuous_current_share", 0.8, "1")
        ],
        "export_load_test": [
            verdict("v2glab.export.delivered-power", "delivered_power_share", 0.5, "1"),
            verdict("v2glab.export.telemetry-accuracy", "energy_difference_percent", 0.1, "%", upper=0.5),
        ],
    }
    quantities = {
        "connect_ocpp": [Quantity("connect_time", 1.4, "s", None, "one sample")],
        "export_load_test": [
            Quantity("export_power", 3000.0, "W", 20.0),
            Quantity("efficiency_dc_to_ac", 0.95, "1", 0.004),
        ],
    }
    found = map_verdicts(verdicts, catalogue, quantities)
    # Case 3 of the enter-service test is made with another delay than the default: it sets nothing.
    expected = {
        "anti_islanding": (301.0, 0.001, "verdict some-code.conformity.enter-service.case-1.delay"),
        "connector_ac_dc": (0.95, 0.004, "quantity efficiency_dc_to_ac (export_load_test: result.json)"),
        "handshake_latency": (1.4, 0.0, "connect_time (connect_ocpp: result.json), uncertainty not known"),
        "thermal_derating": (0.8, 0.001, "(calibrate_thermal: wire.log)"),
        "export_limit": (3.0, 0.02, "verdict v2glab.export.delivered-power (export_load_test: wire.log)"),
        "submetering": (0.0, 0.0, "verdict v2glab.export.telemetry-accuracy"),
    }
    rules = apply_evidence(catalogue.select(",".join(expected)), found)
    for name, (value, uncertainty, source) in expected.items():
        assert rules[name].value == pytest.approx(value), name
        assert rules[name].uncertainty == pytest.approx(uncertainty), name
        assert source in rules[name].value_source, name
    # The seventh, latency, is the smaller of two times on one term: listed, not taken.
    latency = [item for item in found if item.verdict == "v2glab.ocpp.round-trip"]
    assert [(item.value, item.uncertainty) for item in latency] == [(0.2, 0.001)]


def test_what_sets_a_barrier_is_measured_by_some_procedure() -> None:
    """A pattern that fits no criterion is a dead link; every kind of criterion is looked through."""
    criteria = set()
    for path in find_data("datasets", "criteria").glob("*.toml"):
        criteria |= set(load_criteria(path))
    families = [f"some-code.conformity.{name}.some-test.x" for name in FAMILIES]
    families += ["x.conformity.enter-service.case-1.delay", "x.conformity.priority.reactive.p"]
    station = ["ieee1547-2018.ride-through.lv1.iii", "ieee1547-2018.sync.phase.500kva"]
    for barrier in load_catalogue().barriers.values():
        for rule in barrier.measured:
            if rule.criterion:
                assert any(map(rule.fits, [*criteria, *families, *station])), (barrier.id, rule.criterion)
            else:
                assert rule.procedure in NAMES


def test_passed_and_foreign_verdicts_say_nothing() -> None:
    verdicts = [
        verdict("v2glab.export.enabled", "export_enable", 1.1, "1"),
        verdict("somebody.else", "export_enable", 0.0, "1"),
    ]
    assert map_verdicts({"test": verdicts}, load_catalogue()) == []

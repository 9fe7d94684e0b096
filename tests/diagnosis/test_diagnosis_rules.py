"""Every fault alone and every pair lead to their codes and no other; doubt is told from want of evidence."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from observations_bench import (
    CODES,
    SECOND,
    certificates,
    charger,
    frequencies,
    observe,
    reading,
    with_log,
    without,
)

from v2glab.diagnosis import Observations, diagnose
from v2glab.evidence import Outcome


def codes(observations):
    return {f.code: f.certainty for f in diagnose(observations).findings}


def conclusion(observations, code):
    return next(c for c in diagnose(observations).conclusions if c.code == code)


def test_healthy_station_yields_nothing_and_leaves_nothing_open():
    found = diagnose(observe())
    assert not found.findings
    assert [c.state for c in found.conclusions] == ["clear"] * 7
    assert {v.outcome for v in found.verdicts} == {Outcome.PASS}


@pytest.mark.parametrize("faults", [*combinations(CODES, 1), *combinations(CODES, 2), tuple(CODES)])
def test_each_fault_leads_to_its_own_code(faults):
    found = diagnose(observe(*faults))
    assert {f.code for f in found.findings} == {CODES[f] for f in faults}
    assert all(f.certainty == "established" and f.evidence and f.remedy for f in found.findings)
    assert sum(v.outcome is Outcome.FAIL for v in found.verdicts) == len(faults)
    assert not found.of("cannot tell")


def test_without_evidence_nothing_is_clear():
    found = diagnose(Observations(60.0, 277.0, 22_000.0))
    assert {c.state for c in found.conclusions} == {"cannot tell"}
    assert {v.outcome for v in found.verdicts} == {Outcome.INCONCLUSIVE}
    assert all(c.remedy and c.reason for c in found.conclusions)


# -- contactor ---------------------------------------------------------------------------------------------


def test_closed_on_command_is_no_weld():
    assert codes(observe(contactor_command=1, contactor_feedback=1, inverter_run=1)) == {}


def test_mismatch_seen_once_is_suspected():
    seen = observe()
    stuck = charger(3 * SECOND, contactor_feedback=1)
    assert codes(replace(seen, readings=(*seen.readings, *stuck))) == {"F-092": "suspected"}


def test_stuck_auxiliary_contact_is_told_from_a_weld():
    found = conclusion(observe(contactor_feedback=1), "F-092")
    assert found.state == "suspected"
    assert "auxiliary contact" in found.reason


def test_weld_behind_an_auxiliary_contact_that_says_open_is_found_by_voltage():
    seen = without(observe(), "inverter_side_voltage")
    live = reading("scope", "inverter_side_voltage", 276.0, "V", 1.0)
    assert codes(replace(seen, readings=(*seen.readings, live))) == {"F-092": "established"}


def test_weld_from_the_log_alone():
    line = "2026-01-01T00:00:00.1Z ERROR charger fault code=92 cause=contactor_weld commanded=open"
    seen = with_log(without(observe(), "charger"), line)
    assert codes(seen)["F-092"] == "established"
    other = with_log(without(observe(), "charger"), line.replace("92", "27"))
    assert "F-092" not in codes(other)


def test_fault_that_was_reset_since_is_only_suspected():
    old = "1970-01-01T00:00:01Z ERROR charger fault code=92"
    assert codes(with_log(observe(), old)) == {"F-092": "suspected"}
    new = "1970-01-01T00:00:05Z ERROR charger fault code=92"
    assert codes(with_log(observe(), new)) == {"F-092": "established"}


# -- frequency ---------------------------------------------------------------------------------------------


@given(st.floats(-0.5, 0.5), st.floats(1e-4, 0.2))
def test_drift_respects_its_uncertainty(deviation, u):
    seen = without(observe(), "grid_frequency")
    seen = replace(seen, readings=(*seen.readings, *frequencies(*[60.0 + deviation] * 3, u=u)))
    state = conclusion(seen, "OCPP-01").state
    distance = abs(60.0 + deviation - 60.0) - 0.1
    if abs(abs(distance) - 2 * u) < 1e-6:  # the last digit of the coverage factor decides here
        return
    expected = "established" if distance > 2 * u else "clear" if -distance > 2 * u else "suspected"
    assert state == expected


def test_movement_within_the_band_counts_when_it_is_large():
    seen = without(observe(), "grid_frequency")
    assert "OCPP-01" in codes(replace(seen, readings=(*seen.readings, *frequencies(59.92, 60.0, 60.07))))


def test_meter_serves_where_there_is_no_oscilloscope():
    seen = without(observe(), "scope")
    meter = [reading("meter", "frequency", 60.3, "Hz", 0.01, k * SECOND) for k in range(3)]
    assert codes(replace(seen, readings=(*seen.readings, *meter))) == {"OCPP-01": "established"}
    two = replace(seen, readings=(*seen.readings, *meter[:2]))
    assert conclusion(two, "OCPP-01").state == "cannot tell"


def test_instrument_without_certificate_cannot_clear():
    seen = without(observe(), "grid_frequency")
    blind = frequencies(60.0, 60.0, 60.0, u=None)
    assert conclusion(replace(seen, readings=(*seen.readings, *blind)), "OCPP-01").state == "cannot tell"
    far = frequencies(60.4, 60.4, 60.4, u=None)
    assert conclusion(replace(seen, readings=(*seen.readings, *far)), "OCPP-01").state == "suspected"


# -- certificate -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "whose", "word"),
    [
        ('gateway tls_rejected reason="certificate has expired"', "station", "validity has ended"),
        ('gateway tls_rejected reason="certificate is not yet valid"', "station", "not begun"),
        (
            'gateway tls_rejected reason="self-signed certificate in certificate chain"',
            "station",
            "issued it",
        ),
        ('gateway tls_rejected reason="unknown ca"', "gateway", "issued it"),
        ('gateway tls_rejected reason="peer did not return a certificate"', "station", "shows none"),
        ("gateway auth_rejected reason=\"certificate of 'A' used for 'B'\"", "station", "somebody else"),
        ('charger tls_alert reason="certificate has expired" certificate=gateway', "gateway", "has ended"),
        ('charger tls_alert reason="certificate expired" certificate=station', "station", "has ended"),
        ('charger gateway_refused reason="HTTP 401"', "station", "somebody else"),
    ],
)
def test_log_tells_which_certificate_and_why(line, whose, word):
    seen = observe(log=f"2026-01-01T00:00:01Z ERROR {line}\n")
    (finding,) = diagnose(seen).findings
    assert finding.code == "OCPP-Auth-401"
    assert finding.cause.startswith(f"certificate of the {whose}")
    assert word in finding.cause


def test_other_handshake_failures_are_no_matter_of_certificates():
    for reason in ("http request", "no shared cipher", "unsupported protocol"):
        seen = observe(log=f'2026-01-01T00:00:01Z ERROR gateway tls_rejected reason="{reason}"\n')
        assert codes(seen) == {}
        assert conclusion(seen, "OCPP-Auth-401").state == "cannot tell"


def test_refusal_before_a_connection_is_history():
    refused = '2026-01-01T00:00:0{}Z ERROR gateway tls_rejected reason="certificate has expired"\n'
    up = "2026-01-01T00:00:05Z INFO gateway connected station=S\n"
    assert codes(observe(log=refused.format(1) + up)) == {}
    down = "2026-01-01T00:00:07Z INFO gateway disconnected station=S\n"
    assert codes(observe(log=up + down + refused.format(9))) == {"OCPP-Auth-401": "established"}
    assert codes(observe(log=up + refused.format(6) + down)) == {}, "the station was connected: not its own"


def test_certificate_of_a_stranger_on_the_port_is_not_held_against_the_gateway():
    log = (
        '2026-01-01T00:00:01Z ERROR charger tls_alert reason="self-signed certificate" certificate=gateway\n'
    )
    assert codes(observe(log=log)) == {"OCPP-Auth-401": "established"}
    busy = replace(observe(log=log), missing={"gateway": "port in use", "ocpp": "127.0.0.1:8883: in use"})
    found = conclusion(busy, "OCPP-Auth-401")
    assert found.state == "cannot tell" and "in use" in found.reason and "port" in found.remedy


def test_valid_dates_alone_do_not_clear():
    assert conclusion(observe(log=""), "OCPP-Auth-401").state == "cannot tell"
    expired = replace(observe(log=""), certificates=certificates("expired on 2026-01-01 00:00 UTC"))
    assert codes(expired) == {"OCPP-Auth-401": "established"}


# -- heat sink ---------------------------------------------------------------------------------------------


@given(st.floats(25.0, 120.0), st.floats(0.01, 10.0))
def test_rise_is_guarded(celsius, u):
    seen = without(observe(), "heatsink", "heatsink_temperature", "derating")
    sensors = (
        reading("heatsink", "heatsink", celsius, "degC", u),
        reading("heatsink", "ambient", 25.0, "degC", 0.0),
    )
    found = conclusion(replace(seen, readings=(*seen.readings, *sensors)), "THERMAL-DERATING")
    distance_k = celsius - (25.0 + 0.85 * 60.0)
    if abs(abs(distance_k) - 2 * u) < 1e-3:
        return
    expected = "established" if distance_k > 2 * u else "clear" if -distance_k > 2 * u else "suspected"
    assert found.state == expected


def test_load_and_rest_have_causes_of_their_own():
    hot = observe("hot_heatsink")
    assert "no power flows" in diagnose(hot).findings[0].cause
    loaded = replace(hot, readings=(*hot.readings, reading("meter", "power", -20_000, "W", 50.0)))
    assert "present load" in diagnose(loaded).findings[0].cause
    unknown = without(hot, "meter")
    assert codes(unknown) == {"THERMAL-DERATING": "established"}


def test_derating_from_the_log_alone():
    line = "2026-01-01T00:00:00.005Z WARNING charger derating allowed_percent={} heatsink_celsius=79.6"
    seen = without(observe(), "heatsink", "charger")
    assert codes(with_log(seen, line.format("60.0"))) == {"THERMAL-DERATING": "established"}
    assert codes(with_log(seen, line.format("60.0"), line.format("100.0"))) == {}


# -- export and connector ------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_reserve_is_told_to_the_step_of_the_registers(soc, limit):
    seen = observe(soc=soc / 100, soc_discharge_limit=limit / 100)
    state = conclusion(seen, "ZERO-EXPORT-SOC").state
    assert state == ("clear" if soc > limit else "established" if soc < limit else "suspected")


def test_refused_exports_in_the_log():
    line = "2026-01-01T00:00:09Z WARNING charger export_refused "
    bare = without(observe(), "charger")
    assert codes(with_log(bare, line + "reason=export_enable register=0x4002")) == {
        "ZERO-EXPORT-0x4002": "established"
    }
    assert codes(with_log(bare, line + "reason=soc soc_percent=12.0 limit_percent=20.0")) == {
        "ZERO-EXPORT-SOC": "established"
    }


@given(st.integers(1, 65_535))
def test_resistance_is_compared_with_every_coding(ohm):
    state = conclusion(observe(pp_resistance=ohm), "PP-ERROR").state
    deviation, nearest = min((abs(ohm / r - 1), r) for r in (1500, 680, 220, 100))
    guard = 2 * 0.02 * ohm / nearest
    if abs(abs(deviation - 0.1) - guard) < 1e-9:
        return
    expected = (
        "established" if deviation - 0.1 > guard else "clear" if 0.1 - deviation > guard else "suspected"
    )
    assert state == expected


def test_without_a_plug_there_is_no_coding():
    found = conclusion(observe(pp_resistance=65_535, cp_voltage=12), "PP-ERROR")
    assert found.state == "not applicable"
    assert found.verdict.outcome is Outcome.NOT_APPLICABLE

"""The procedure on the example, and on three real recordings."""

import json
import math

import pytest

from v2glab.evidence import InputError, Outcome, UsageError
from v2glab.procedures import Context, load_procedure, validate_parameters


def judged(tmp_path, recording="example", sidecar="", **parameters):
    procedure = load_procedure("judge_recording")
    values = validate_parameters(
        procedure, {"recording": str(recording), "sidecar": str(sidecar), **parameters}
    )
    return procedure.execute(Context(values, None, tmp_path))


def outcomes(result):
    return {v.criterion.id.removeprefix("ieee1547-2018."): v.outcome for v in result.verdicts}


def write_sidecar(tmp_path, head, time, channels):
    lines = ["schema = 1", "[recording]", *(f"{k} = {json.dumps(v)}" for k, v in head.items())]
    if time:
        lines += ["[time]", *(f"{k} = {json.dumps(v)}" for k, v in time.items())]
    for column, quantity, phase, unit, uncertainty in channels:
        entry = {
            "column": column,
            "quantity": quantity,
            "phase": phase,
            "unit": unit,
            "uncertainty": uncertainty,
        }
        lines += ["[[channel]]", *(f"{k} = {json.dumps(v)}" for k, v in entry.items())]
    path = tmp_path / "sidecar.toml"
    path.write_text("\n".join(lines))
    return path


def test_the_example_says_what_its_formula_put_in(tmp_path):
    result = judged(tmp_path)
    assert result.quantity("frequency_extreme").value == pytest.approx(60.02, abs=1e-3)
    assert result.quantity("voltage_extreme").value == pytest.approx(0.62, abs=2e-3)
    assert result.quantity("voltage_thd_a").value == pytest.approx(100 * math.hypot(0.012, 0.008), rel=1e-3)
    share = math.sqrt(0.015**2 + 0.01**2 + 0.004**2) * 26 / 28.9
    assert result.quantity("rated_current_distortion").value == pytest.approx(100 * share, rel=1e-3)
    (event,) = result.tables["events"].to_dict("records")
    assert (event["kind"], event["phases"]) == ("dip", "1")
    assert event["duration_s"] == pytest.approx(0.2, abs=0.02)
    seen = outcomes(result)
    assert seen["continuous.voltage.iii"] is Outcome.FAIL
    assert seen["ride-through.lv2.iii"] is Outcome.PASS
    assert seen["ride-through.lv3.iii"] is Outcome.NOT_APPLICABLE
    assert seen["harmonic.trd"] is Outcome.PASS


def test_power_is_the_mean_of_voltage_times_current_before_the_dip(tmp_path):
    table = judged(tmp_path).tables["waveform"]
    whole = table[table["time_s"] < 16 / 60.02]
    power = sum((whole[f"voltage_{p}"] * whole[f"current_{p}"]).mean() for p in "abc")
    assert power == pytest.approx(3 * 277 * 26 * (1 + 0.012 * 0.015 * math.cos(0.4) + 8e-5), rel=2e-3)


def test_a_plant_that_lets_go_during_the_dip_fails(tmp_path):
    from v2glab.resources import find_data

    source = find_data("datasets", "recordings", "dip_60hz.csv")
    lines = source.read_text().splitlines()
    for i, line in enumerate(lines[1:], start=1):
        cells = line.split(",")
        if float(cells[0]) > 0.35:
            lines[i] = ",".join([*cells[:4], "0", "0", "0"])
    (tmp_path / "off.csv").write_text("\n".join(lines))
    result = judged(tmp_path, tmp_path / "off.csv", f"{source}.toml")
    assert outcomes(result)["ride-through.lv2.iii"] is Outcome.FAIL


def test_without_stated_uncertainty_nothing_is_decided(tmp_path):
    from v2glab.resources import find_data

    source = find_data("datasets", "recordings", "dip_60hz.csv")
    text = (source.parent / f"{source.name}.toml").read_text().splitlines()
    bare = tmp_path / "bare.toml"
    bare.write_text("\n".join(x for x in text if "uncertainty =" not in x and "clock_ppm" not in x))
    assert set(outcomes(judged(tmp_path, source, bare)).values()) <= {
        Outcome.INCONCLUSIVE,
        Outcome.NOT_APPLICABLE,
    }


def test_wrong_unit_and_missing_nominal_are_refused(tmp_path):
    with pytest.raises(InputError, match="nominal"):
        judged(tmp_path, nominal_voltage_v=0.277)
    path = tmp_path / "x.csv"
    path.write_text("t,v\n" + "\n".join(f"{i},1" for i in range(50)))
    side = write_sidecar(
        tmp_path, {"kind": "rms"}, {"column": "t", "unit": "s"}, [("v", "voltage", "a", "V", 1)]
    )
    with pytest.raises(UsageError, match="nominal_voltage_v"):
        judged(tmp_path, path, side)
    with pytest.raises(UsageError, match="category"):
        judged(tmp_path, category="IX")


def test_the_measured_generator_waveform(tmp_path, shared_data):
    channels = [(f"MODAQ_V{p}_V", "voltage", p, "V", 40) for p in "abc"]
    channels += [(f"MODAQ_I{p}_I", "current", p, "A", 0.1) for p in "abc"]
    head = {"kind": "waveform", "nominal_voltage_v": 7967.4, "nominal_frequency_hz": 60, "clock_ppm": 50}
    side = write_sidecar(tmp_path, head, {"column": "Time_UTC", "unit": "iso8601"}, channels)
    result = judged(tmp_path, shared_data("waveforms/mhkit_2020224_181521_PowRaw.csv"), side)
    assert "1 uneven steps" in result.facts["repairs"][0]
    assert result.quantity("frequency_extreme").value == pytest.approx(59.96, abs=0.005)
    assert result.quantity("voltage_a").value == pytest.approx(8040, abs=5)
    seen = outcomes(result)
    assert seen["continuous.voltage.iii"] is Outcome.PASS
    assert seen["continuous.frequency.iii"] is Outcome.PASS


def test_the_danish_fault(tmp_path, shared_data):
    head = {"kind": "rms", "nominal_voltage_v": 400, "nominal_frequency_hz": 50, "delimiter": ";"}
    side = write_sidecar(
        tmp_path, head, {"column": "time", "unit": "s"}, [("voltage", "voltage", "", "p.u.", 0.002)]
    )
    result = judged(tmp_path, shared_data("waveforms/mtb_DK1_fault1.csv"), side)
    assert result.facts["repairs"] == ["40 equal time stamps taken as steps"]
    assert result.facts["may_trip_at_s"] is None
    assert result.quantity("voltage_extreme").value == pytest.approx(0.3996)
    seen = outcomes(result)
    assert seen["continuous.voltage.iii"] is Outcome.FAIL
    assert seen["ride-through.lv3.iii"] is Outcome.INCONCLUSIVE  # no current was recorded
    assert seen["trip.uv2.iii"] is Outcome.NOT_APPLICABLE
    assert judged(tmp_path, shared_data("waveforms/mtb_DK1_fault1.csv"), side, category="I").facts[
        "may_trip_at_s"
    ] == pytest.approx(0.201)


def test_a_protection_test_without_voltage_is_inconclusive_throughout(tmp_path, shared_data):
    channels = [(f"U{p}1", "voltage", p, "V", 0.05) for p in "abc"]
    channels += [(f"I{p}1", "current", p, "A", 0.01) for p in "abc"]
    side = write_sidecar(tmp_path, {"kind": "waveform", "nominal_voltage_v": 57.7}, {}, channels)
    result = judged(tmp_path, shared_data("waveforms/ctio_ascii_1991.cfg"), side)
    assert set(outcomes(result).values()) == {Outcome.INCONCLUSIVE}
    assert len(result.facts["gaps"]) == 5


def test_the_figure_draws_every_stay_outside_continuous_operation(tmp_path):
    from v2glab.views._judge_recording import excursions, plot_judge_recording

    result = judged(tmp_path)
    ((time_s, volts),) = excursions(result.tables["rms"], result.tables["regions"])
    assert time_s[-1] == pytest.approx(0.2, abs=0.02)
    assert volts.min() == pytest.approx(0.62, abs=2e-3)
    assert plot_judge_recording(result).children

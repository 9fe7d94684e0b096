"""What an analysis hands to readers: findings, the author's table, figures, foresight, price years, draws."""

import hashlib
import xml.etree.ElementTree as ET
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from v2glab.barriers import KINDS
from v2glab.campaigns._results import save_result
from v2glab.evidence import Criterion, InputError, Quantity, Result, UsageError, judge, write_verdicts
from v2glab.procedures._analyse_barriers_authors import _tex, authors_latex, authors_table
from v2glab.procedures._analyse_barriers_findings import _WORDS
from v2glab.procedures._procedure import Context, load_procedure, validate_parameters
from v2glab.resources import find_data
from v2glab.views import barrier_figure, barrier_report, export_barrier_figures
from v2glab.views._analyse_barriers import FIGURES, figures_of, plot_analyse_barriers
from v2glab.views._report import render

PROCEDURE = load_procedure("analyse_barriers")
QUICK: dict[str, Any] = {
    "rules": "double_levy,export_limit,power_factor_reactive,settlement_interval",
    "users": 3,
}


def analyse(folder: Path, **parameters: Any) -> Result:
    values = validate_parameters(PROCEDURE, QUICK | {"engine": "serial"} | parameters)
    return PROCEDURE.execute(Context(values, None, folder, 7))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return analyse(tmp_path_factory.mktemp("analysis"), horizon_h=48)


def test_findings_say_number_interval_source_and_what_would_have_to_change(result: Result) -> None:
    found = result.tables["findings"].set_index("rule")["finding"]
    rules = result.tables["rules"].set_index("rule")
    assert set(found.index) == set(rules.index)
    levy = found["double_levy"]
    row = rules.loc["double_levy"]
    for number in (row.shapley, row.shapley_low, row.shapley_high, row.first_in, row.last_in):
        assert f"{number:.2f}" in levy
    assert "Rödl" in levy and "To change: levies and fees refunded" in levy
    assert "[" not in found["double_levy"] and "until 2026-01-01" in found["double_levy"]
    assert "costs nothing here" in found["settlement_interval"]
    assert "not fit for publication" in found["settlement_interval"]


def test_every_kind_of_change_has_words() -> None:
    assert set(_WORDS) == set(KINDS)


def test_publishing_refuses_an_unsourced_rule(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="settlement_interval"):
        analyse(tmp_path, publish=True)
    analyse(tmp_path, publish=True, rules="double_levy,export_limit")


def test_author_tables_hold_all_rules_and_all_caveats(result: Result) -> None:
    table = authors_table(result)
    assert len(table) == 4 and table["rule"].is_unique
    text = authors_latex(result)
    assert text.count(" \\\\\n") == 5
    assert r" 95\,\%" in text and r"\shortstack[r]" in text and "Sources: roedl2022: Rödl" in text
    words = text.replace("\n", " ")
    for caveat in result.facts["caveats"]:
        assert caveat.split("_")[0].split("%")[0].split("'")[0] in words
    body = text.partition("\n")[2]
    for sign in ("%", "_", "&", "#", "{", "}"):
        body = body.replace(f"\\{sign}", "")
    assert "_" not in body and "%" not in body and "#" not in body
    assert body.count("{") == body.count("}")
    assert body.count(" & ") == 5 * 5 and body.count("&") == 5 * 5


def test_latex_sets_every_sign_as_it_stands() -> None:
    wild = '[a] {b} \\c_d^e~f#g$h%i&j <k> |l| "m"\n\n± ≤ − …'
    assert _tex(wild) == (
        r"{[}a{]} \{b\} \textbackslash{}c\_d\textasciicircum{}e\textasciitilde{}f\#g\$h\%i\&j "
        r"\textless{}k\textgreater{} \textbar{}l\textbar{} ''m'' "
        r"\ensuremath{\pm} \ensuremath{\le} -- \dots{}"
    )


def test_each_figure_has_its_drawing_and_its_data_beside_it(result: Result, tmp_path: Path) -> None:
    names = figures_of(result)
    assert len(plot_analyse_barriers(result).children) == len(names)
    assert names == ["waterfall", "forest", "interactions", "tornado", "sankey", "duration"]
    written = export_barrier_figures(result, tmp_path, pages=False)
    for name in names:
        root = ET.fromstring((tmp_path / f"{name}.svg").read_text(encoding="utf-8"))
        assert root.find("{http://www.w3.org/2000/svg}title").text
        data = pd.read_csv(tmp_path / f"{name}.csv")
        assert len(data) == len(result.tables[FIGURES[name][0]])
    assert len(written) == 2 * len(names)
    forest = barrier_figure(result, "forest")
    (tmp_path / "one").mkdir()
    export_barrier_figures(
        replace(result, tables={"rules": result.tables["rules"]}), tmp_path / "one", pages=True
    )
    assert len({p.suffix for p in (tmp_path / "one").iterdir()}) == 3
    page = (tmp_path / "one" / "forest.html").read_text(encoding="utf-8")
    assert "Bokeh" in page and "<script src" not in page and "Content-Security-Policy" in page
    assert forest.title.text in page
    with pytest.raises(UsageError, match="matrix"):
        barrier_figure(result, "matrix")


def test_the_report_holds_findings_figures_evidence_and_every_caveat(result: Result) -> None:
    page = barrier_report(result)
    for caveat in result.facts["caveats"]:
        assert escape(caveat) in page
    for row in result.tables["findings"].itertuples():
        assert escape(row.change) in page and escape(row.source) in page
    assert "<script src" not in page and "1 no plug-out, 1 infeasible" in page
    assert "What the lab measured" not in page
    # The report of a run holds the same: facts are cut there, caveats are not.
    words = replace(result, tables={"findings": result.tables["findings"]})
    run = render({}, {"analyse_barriers": words}, {})
    assert all(escape(caveat) in run for caveat in result.facts["caveats"])


def test_foresight_is_never_beaten_and_energy_adds_up(result: Result) -> None:
    foresight = result.tables["foresight"]
    assert (foresight["rolling"] <= foresight["perfect"] + 1e-6).all()
    assert (foresight["share"] > 0.5).all()
    energy = result.tables["energy"]
    assert energy["change_kwh"].sum() == pytest.approx(energy["exported_kwh"].iloc[-1])
    duration = result.tables["duration"]
    assert (np.diff(duration["no_rules_kw"]) <= 1e-9).all()
    assert duration["no_rules_kw"].iloc[0] == pytest.approx(11.0)
    assert duration["all_rules_kw"].max() <= 5.0 + 1e-9
    settings = result.tables["settings"].set_index("setting")
    assert settings.loc["discharge_efficiency", "loss_low"] < settings.loc["discharge_efficiency", "loss"]
    assert (settings["vehicles_high"] > 0).all()


def test_price_years_count_alike_and_stand_apart(result: Result, tmp_path: Path) -> None:
    text = find_data("datasets", "prices", "example-prices.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    other = tmp_path / "other.csv"
    lines = [f"{time.replace('2025', '2023')},{2 * float(value):.2f}" for time, value in rows]
    other.write_text("utc,eur_per_mwh\n" + "\n".join(lines) + "\n", encoding="utf-8")
    example = str(find_data("datasets", "prices", "example-prices.csv"))
    both = analyse(tmp_path, prices=f"{example},{other}")
    one = analyse(tmp_path, prices=str(other))
    assert both.facts["price_year"] == "2025, 2023"
    values = [r.quantity("value_without_rules").value for r in (result, one, both)]
    assert values[1] > 1.5 * values[0]
    assert values[2] == pytest.approx((values[0] + values[1]) / 2)
    by_year = both.tables["rules_by_year"].set_index(["price_year", "rule"])["shapley"]
    single = one.tables["rules"].set_index("rule")["shapley"]
    assert by_year.loc["2023", "double_levy"] == pytest.approx(single["double_levy"])
    wide, narrow = (
        r.tables["rules"].set_index("rule").loc["double_levy", ["shapley_low", "shapley_high"]]
        for r in (both, one)
    )
    assert wide.iloc[1] - wide.iloc[0] > narrow.iloc[1] - narrow.iloc[0]
    assert len(both.tables["vehicles"]) == 2 * len(one.tables["vehicles"])
    with pytest.raises(InputError, match="each year once"):
        analyse(tmp_path, prices=f"{example},{example}")


def test_the_uncertainty_of_a_measured_parameter_widens_its_rule_only_and_names_its_record(
    tmp_path: Path,
) -> None:
    criterion = Criterion(
        id="v2glab.thermal.continuous-current",
        title="t",
        standard="v2glab",
        edition="1",
        clause="1",
        quantity="continuous_current_share",
        lower=0.5,
        unit="1",
        source="t",
        confidence="confirmed",
    )
    for name, uncertainty in (("sharp", 0.0), ("blurred", 0.1)):
        quantity = Quantity("continuous_current_share", 0.7, "1", uncertainty)
        verdict = judge(criterion, quantity, evidence=("telemetry.parquet",))
        (tmp_path / name).mkdir()
        write_verdicts(tmp_path / name / "verdicts.json", {"calibrate_thermal": [verdict]})
    sharp, blurred = (
        analyse(tmp_path, evidence_run=str(tmp_path / name), rules="thermal_derating,double_levy", draws=12)
        for name in ("sharp", "blurred")
    )
    for found, width in ((sharp, 0.0), (blurred, 0.1)):
        row = found.tables["rules"].set_index("rule").loc["thermal_derating"]
        assert row.setting == 0.7 and row.setting_uncertainty == width
        assert "telemetry.parquet" in row.value_source
    errors = [r.quantity("value_lost_thermal_derating").uncertainty for r in (sharp, blurred)]
    assert errors[1] > 1.2 * errors[0]
    assert sharp.quantity("value_lost").value == pytest.approx(blurred.quantity("value_lost").value)
    assert any("draws of measured parameters" in caveat for caveat in blurred.facts["caveats"])


def test_a_run_feeds_quantities_and_latencies_and_each_number_leads_back_to_it(tmp_path: Path) -> None:
    connect = Result(
        procedure="connect_ocpp",
        start_ns=0,
        parameters={},
        quantities=(Quantity("connect_time", 900.0, "s", None, "one sample"),),
        verdicts=(),
        tables={"round_trips": pd.DataFrame({"round_trip_s": [0.1, 0.2, 5.0]})},
        facts={},
    )
    efficiency = Quantity("efficiency_dc_to_ac", 0.9, "1", 0.01)
    load = replace(connect, procedure="export_load_test", quantities=(efficiency,), tables={})
    folder = tmp_path / "RUN"
    for found in (connect, load):
        save_result(folder / "results" / found.procedure, found)
    write_verdicts(folder / "verdicts.json", {})
    (folder / "run.json").write_text("{}")
    result = analyse(tmp_path, evidence_run=str(folder), rules="double_levy", users=1, draws=1)
    assert result.facts["evidence_run"] == {
        "run": "RUN",
        "verdicts_sha256": hashlib.sha256((folder / "verdicts.json").read_bytes()).hexdigest(),
    }
    rules = result.tables["rules"].set_index("rule")
    assert rules.loc["connector_ac_dc", ["setting", "setting_uncertainty"]].tolist() == [0.9, 0.01]
    assert rules.loc["handshake_latency", "setting"] == 900.0
    assert "connect_time (connect_ocpp: result.json)" in rules.loc["handshake_latency", "value_source"]
    assert any("not known" in c and "handshake_latency" in c for c in result.facts["caveats"])
    latency = result.tables["latency"].set_index(["limit", "measured"])
    # Two of three round trips are within the 4 s of the telemetry, all within the 30 s of an activation.
    assert latency.loc[("ca-agc-telemetry", "command"), "share"] == pytest.approx(2 / 3)
    assert latency.loc[("fcr-full-activation", "command"), "share"] == 1.0
    assert latency.loc[("founding-handshake", "handshake"), "share"] == 0.0
    assert (latency["confidence"] == "read").sum() == 1
    assert "latency" in figures_of(result)
    page = barrier_report(result)
    assert "Run RUN, verdicts.json with SHA-256" in page and "connect_ocpp: result.json" in page
    assert "900 s (u not known)" in page and "0.9 (u = 0.01)" in page
    (folder / "results" / "connect_ocpp" / "result.json").write_text("[]")
    with pytest.raises(InputError, match="connect_ocpp"):
        analyse(tmp_path, evidence_run=str(folder))


def test_more_rules_than_the_table_holds_are_sampled_and_say_so(tmp_path: Path) -> None:
    rules = (
        "double_levy,export_price_ratio,export_limit,anti_islanding,ride_through_window,freq_watt_droop,"
        "power_factor_reactive,connector_ac_dc,tariff_structure=0.5,submetering,settlement_interval,"
        "smart_meter_gateway,interconnection_time,prequalification,building_code,pki_roaming"
    )
    found = analyse(tmp_path, rules=rules, users=1, order_pairs=4)
    table = found.tables["rules"]
    assert len(table) == 16 and (table["sampling_error"] > 0).any()
    assert table["shapley"].sum() == pytest.approx(found.quantity("value_lost").value, rel=1e-9)
    assert found.tables["interactions"].empty
    assert any("sampled orders" in caveat for caveat in found.facts["caveats"])


def test_least_current_and_wear_curve_are_dispatched_on_states_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("v2glab.barriers._states.MOST_POINTS", 181)
    plain = analyse(tmp_path, rules="double_levy", users=1)
    least = analyse(tmp_path, rules="double_levy", users=1, least_kw=4.14)
    worn = analyse(tmp_path, rules="double_levy", users=1, wear_curve=((0.0, 0.08), (0.4, 0.02)))
    for found in (least, worn):
        assert any("grid of" in method for method in found.facts["methods"])
        assert any("Not every problem was solved exactly" in caveat for caveat in found.facts["caveats"])
    value = [r.quantity("value_without_rules").value for r in (plain, least, worn)]
    assert value[1] == pytest.approx(value[0], rel=0.05)
    assert 0 < value[2] < value[0]
    with pytest.raises(UsageError, match="least_kw"):
        analyse(tmp_path, least_kw=-1.0)
    with pytest.raises(UsageError, match="wear_curve"):
        analyse(tmp_path, wear_curve=((0.5, 0.1),))

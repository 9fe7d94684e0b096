"""`v2glab ride-through`: which category had to stay connected, on the example and on a real recording."""

import json

import numpy as np
import pytest

from v2glab.cli import run as command

SIDE = """schema = 1
[recording]
kind = "rms"
nominal_voltage_v = 400
nominal_frequency_hz = {hertz}
delimiter = ";"
[time]
column = "time"
unit = "s"
[[channel]]
column = "voltage"
quantity = "voltage"
phase = ""
unit = "p.u."
uncertainty = 0.002
"""


def call(capsys, *arguments):
    code = command("ride-through", list(map(str, arguments)), prog_name="v2glab ride-through")
    out, err = capsys.readouterr()
    return code, out, err


def asked(capsys, *arguments):
    code, out, _ = call(capsys, *arguments, "--json")
    assert code == 0
    return {entry["category"]: entry for entry in json.loads(out)["categories"]}


@pytest.fixture
def sidecar(tmp_path):
    def write(hertz=60, extra=""):
        path = tmp_path / f"side{hertz}.toml"
        path.write_text(SIDE.format(hertz=hertz) + extra)
        return path

    return write


def test_the_example_divides_the_categories(capsys):
    """One phase at 62 % for 0.2 s: beyond the 0.16 s of Category I, within the 0.32 s of Category II."""
    found = asked(capsys, "example", "--all-categories")
    assert {c: e["asked"] for c, e in found.items()} == {"I": "may trip", "II": "stay", "III": "stay"}
    assert all(e["conclusive"] for e in found.values())
    assert found["II"]["margin_s"] == pytest.approx(0.32 - 0.2, abs=0.02)
    assert found["II"]["u_margin_s"] > 0
    assert found["I"]["may_trip_at_s"] == pytest.approx(0.3 + 0.16, abs=0.02)
    verdicts = {v["criterion"]["id"]: v["outcome"] for v in found["III"]["verdicts"]}
    assert verdicts["ieee1547-2018.ride-through.lv2.iii"] == "pass"


def test_the_page_shows_every_category_over_its_regions(tmp_path, capsys):
    out = tmp_path / "page.html"
    code, text, _ = call(capsys, "example", "--all-categories", "--out", out)
    assert code == 0
    assert "must stay connected" in text
    page = out.read_text()
    for category in ("I", "II", "III"):
        assert f"Ride-through, ieee1547-2018, category {category}" in page
    assert "I: may trip" in page
    assert "<script src" not in page


def test_the_danish_fault(capsys, sidecar, shared_data):
    """Equal time stamps are steps; the code for 60 Hz concludes nothing on a network of 50 Hz."""
    path = shared_data("waveforms/mtb_DK1_fault1.csv")
    found = asked(capsys, path, "--sidecar", sidecar(50), "--all-categories")
    assert {c: e["asked"] for c, e in found.items()} == {"I": "may trip", "II": "stay", "III": "stay"}
    assert found["I"]["may_trip_at_s"] == pytest.approx(0.201)
    assert found["III"]["margin_s"] == pytest.approx(1 - 0.0993)
    assert found["III"]["u_margin_s"] == pytest.approx(0.0005 / 6**0.5)
    assert all(e["reasons"] == ["the code is for 60 Hz, the recording of 50 Hz"] for e in found.values())
    german = asked(capsys, path, "--sidecar", sidecar(50), "--code", "vde-ar-n-4105-2018")["inverter"]
    assert (german["asked"], german["trip"]) == ("no limit known", "uv2")
    assert german["must_trip_at_s"] is None
    assert not german["conclusive"]


def test_gaps_are_named_and_not_integrated(tmp_path, capsys, sidecar):
    """A dip of 0.5 s in sight and 20 s out of sight: the time out of sight counts for nothing."""
    time = np.concatenate([np.arange(0, 1.5, 0.01), np.arange(21.5, 23, 0.01)])
    volts = np.where(time < 1.0, 1.0, np.where(time < 21.6, 0.6, 1.0))
    path = tmp_path / "gap.csv"
    path.write_text("time;voltage\n" + "\n".join(f"{t:.3f};{v}" for t, v in zip(time, volts, strict=True)))
    (entry,) = asked(capsys, path, "--sidecar", sidecar()).values()
    (low,) = [r for r in entry["regions"] if r["name"] == "lv2"]
    assert low["time_s"] == pytest.approx(0.59, abs=0.011)
    assert low["longest_s"] == pytest.approx(0.49, abs=0.011)
    assert not entry["conclusive"]
    assert "1 gaps" in entry["reasons"][0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("example", "--code", "ieee9999"), "ieee9999"),
        (("example", "--category", "IV"), "one of: I, II, III"),
        (("example", "--category", "I", "--all-categories"), "one of both"),
        (("example", "--code", "vde-ar-n-4105-2026"), "no category is transcribed"),
        (("nowhere.csv",), "nowhere.csv"),
        (("example", "--nominal-voltage", "0.3"), "check unit and scale"),
        (("example", "--nominal-frequency", "-50"), "nominal_frequency_hz"),
    ],
)
def test_wrong_requests_are_refused(capsys, arguments, says):
    code, _, err = call(capsys, *arguments)
    assert code == 2
    assert says in err


def test_a_waveform_by_a_code_for_another_frequency_decides_nothing(capsys):
    found = asked(capsys, "example", "--code", "vde-ar-n-4105-2018")["inverter"]
    assert "the code is for 50 Hz, the recording of 60 Hz" in found["reasons"]
    assert "frequency" in found["not_judged"]


def test_a_comtrade_waveform_goes_by_its_least_phase(tmp_path, capsys):
    """Phase b at 40 % for 0.3 s: momentary cessation for III, free to trip at once for I."""
    rate, count = 3840, 3840
    time = np.arange(count) / rate
    rows = []
    for k, phase in enumerate((0, -2, 2)):
        size = np.where((time >= 0.4) & (time < 0.7) & (k == 1), 0.4, 1.0)
        rows.append(np.round(size * 277 * 2**0.5 * np.cos(2 * np.pi * 60 * time + phase * np.pi / 3) * 10))
    head = ["site,1,1999", "3,3A,0D"]
    head += [f"{n},U{p},{p.upper()},,V,0.1,0,0,-32767,32767,1,1,P" for n, p in enumerate("abc", start=1)]
    stamp = "24/11/2026,10:00:00.000000"
    head += ["60", "1", f"{rate},{count}", stamp, stamp, "ASCII", "1"]
    (tmp_path / "dip.cfg").write_text("\r\n".join(head) + "\r\n")
    lines = [
        f"{i + 1},{round(i * 1e6 / rate)},{','.join(f'{int(r[i])}' for r in rows)}" for i in range(count)
    ]
    (tmp_path / "dip.dat").write_text("\r\n".join(lines) + "\r\n")
    found = asked(capsys, tmp_path / "dip.cfg", "--nominal-voltage", 277, "--all-categories")
    assert {c: e["asked"] for c, e in found.items()} == {"I": "must trip", "II": "must trip", "III": "stay"}
    assert found["III"]["margin_region"] == "lv3"
    assert found["III"]["margin_s"] == pytest.approx(1 - 0.3, abs=0.02)
    assert found["II"]["must_trip_at_s"] == pytest.approx(0.4 + 0.16, abs=0.02)
    assert all(e["reasons"] == ["the recording states no uncertainty"] for e in found.values())

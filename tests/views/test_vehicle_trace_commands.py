"""``v2glab vehicle trace`` and ``slac``: what they print, write and return; what the figures hold."""

import csv
import io
import json
import os

import pytest
from capture_files import Talk, write_pcap

from v2glab.cli import run as command
from v2glab.links import V2gtpFrame, build_v2gtp
from v2glab.links.capture import read_capture
from v2glab.links.exi import blank
from v2glab.links.sessions import Message, MessageRecord, Trace, load_session_rules
from v2glab.links.sessions._message import write_message
from v2glab.links.sessions._trace import COLUMNS
from v2glab.views import plot_vehicle_trace, slac_phases
from v2glab.views._vehicle_data import MOST_SHOWN, by_message, exchanges, thinned

T0, MS = 1_700_000_000 * 10**9, 1_000_000
DIN = load_session_rules().of_protocol("din")
OFFER = {
    "ProtocolNamespace": DIN.offers[0], "VersionNumberMajor": 2, "VersionNumberMinor": 0,
    "SchemaID": 1, "Priority": 1,
}  # fmt: skip


def octets(name, **more):
    protocol = None if name.startswith("supported") else DIN
    body = more or blank(DIN.namespaces[0], name, ("DC_EVSEStatus", "DC_EVStatus"))
    session = "" if protocol is None else "00000000000000AA"
    payload_type, document = write_message(Message(name, body, session), protocol, 0)
    return build_v2gtp(V2gtpFrame(payload_type, document))


def session(at, port=49152):
    """Packets of a session in DIN whose third loop answer takes 60 ms, whose stop is refused."""
    talk = Talk(vehicle=("fe80::1", port))
    at = talk.open(at)
    refused = dict(blank(DIN.namespaces[0], "SessionStopRes"), ResponseCode="FAILED_SequenceError")
    lines = [
        ("supportedAppProtocolReq", {"AppProtocol": [OFFER]}, 0),
        ("supportedAppProtocolRes", {"ResponseCode": "OK_SuccessfulNegotiation", "SchemaID": 1}, 3),
        ("SessionSetupReq", {}, 1),
        ("SessionSetupRes", {}, 20),
    ]
    for wait in (4, 6, 60, 8):
        lines += [("CurrentDemandReq", {}, 5), ("CurrentDemandRes", {}, wait)]
    for name, body, wait in [*lines, ("SessionStopReq", {}, 1), ("SessionStopRes", refused, 2)]:
        at += wait * MS
        talk.say(at, name.endswith("Req"), octets(name, **body))
    return talk.framed()


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    path = tmp_path_factory.mktemp("capture") / "session.pcap"
    path.write_bytes(write_pcap(session(T0)))
    return path


def call(capsys, *arguments):
    code = command("vehicle", list(map(str, arguments)), prog_name="v2glab vehicle")
    out, err = capsys.readouterr()
    return code, out, err


def test_trace_prints_messages_limits_and_remedies(capsys, capture):
    code, out, _ = call(capsys, "trace", capture)
    assert code == 0
    row = next(line for line in out.splitlines() if "CurrentDemand " in line)
    assert row.split()[:10] == ["CurrentDemand", "4", "7.00", "ms", "60", "ms", "25", "ms", "-35", "ms"]
    assert "240 %" in row and "1 late" in row
    assert "too-slow  Late: CurrentDemandRes (loop)" in out and "remedy:" in out
    assert "unexpected-message  SessionStopRes: FAILED_SequenceError" in out
    assert call(capsys, "trace", capture, "--strict")[0] == 1


def test_trace_writes_every_message(capsys, capture, tmp_path):
    html, document = tmp_path / "a.html", tmp_path / "a.json"
    code, out, _ = call(capsys, "trace", capture, "--csv", "-", "--json", document, "--html", html)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 14 and list(rows[0]) == ["session", *COLUMNS]
    slowest = max(rows, key=lambda r: float(r["answer_s"] or 0))
    assert float(slowest["answer_s"]) == pytest.approx(0.06) and float(slowest["margin_s"]) == pytest.approx(
        -0.035
    )
    told = json.loads(document.read_text())
    (session,) = told["sessions"]
    assert [m["name"] for m in session["messages"]] == [r["name"] for r in rows]
    assert session["messages"][0]["body"] == {"AppProtocol": [OFFER]}
    assert session["messages"][-1]["body"]["ResponseCode"] == "FAILED_SequenceError"
    assert session["messages"][0]["answer_s"] is None and session["protocol"] == "din"
    assert [f["code"] for f in told["findings"]] == ["too-slow", "unexpected-message"]
    page = html.read_text()
    assert "FAILED_SequenceError" in page and "Content-Security-Policy" in page and "<script src" not in page


def test_many_sessions_are_listed_and_one_is_shown_on_request(capsys, tmp_path):
    path = tmp_path / "many.pcap"
    path.write_bytes(write_pcap([p for k in range(5) for p in session(T0 + k * 1000 * MS, 50_000 + k)]))
    code, out, _ = call(capsys, "trace", path)
    rows = [line.split() for line in out.splitlines() if "FAILED_SequenceError" in line and "din" in line]
    assert code == 0 and [r[0] for r in rows] == ["1", "2", "3", "4", "5"]
    assert rows[4][1:4] == ["4.000", "s", "[fe80::1]:50004"] and "--session" in out
    # A fault that all have stands once, with the sessions that have it.
    assert out.count("Late: CurrentDemandRes") == 1 and "session 5: 1 times, slowest 60.0 ms" in out
    code, out, _ = call(capsys, "trace", path, "--session", "3")
    assert code == 0 and "session 3: [fe80::1]:50002" in out and "session 4: [" not in out
    code, _, err = call(capsys, "trace", path, "--session", "6")
    assert code == 2 and "1 to 5" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["trace", "no-such.pcap"], "no-such.pcap"),
        (["trace", __file__], "pcap or pcapng"),
        (["trace", __file__, "--csv", "-", "--json", "-"], "one of them"),
        (["slac", "--channel", "moon"], "vehicle_at_home"),
        (["slac", "--motor", "2"], "0 to 1"),
        (["slac", "--veth", "--cross-talk", "cable"], "relay"),
        (["slac", "--interface", "eth1", "--veth"], "leave it out"),
        (["slac", "--interface", "eth1", "--end", "both"], "vehicle or charger"),
    ],
)
def test_wrong_use_says_what_is_right(capsys, arguments, told):
    code, out, err = call(capsys, *arguments)
    assert code == 2 and told in err and "remedy" in err and not out


def test_slac_shows_phases_profiles_and_timers(capsys, tmp_path):
    html = tmp_path / "a.html"
    arguments = ("--fast", "--cross-talk", "two_chargers_far", "--html", html, "--json")
    code, out, _ = call(capsys, "slac", *arguments)
    told = json.loads(out)
    assert code == 0 and told["match"]["charger"] == "charger" and told["match"]["level"] == "direct"
    assert [p["name"] for p in told["phases"]] == ["parameters", "sounding", "attenuation", "match", "key"]
    assert {r["charger"]: len(r["groups_db"]) for r in told["reports"]} == {
        "charger": 58,
        "other charger": 58,
    }
    means = {r["charger"]: r["mean_db"] for r in told["reports"]}
    assert means["charger"] == pytest.approx(9.55, abs=0.5) and means["other charger"] > 25
    limits = {f["name"]: f["limit_s"] for f in told["frames"] if f["limit_s"]}
    assert limits["CM_SLAC_PARM.CNF"] == 0.2 and len(limits) == 6
    assert set(told["lines"]) == {"charger", "other charger"} and "nmk" not in out.lower()
    assert "Signal to noise" in html.read_text()


def test_slac_without_a_match_ends_with_its_cause(capsys):
    arguments = ("--fast", "--channel", "two_chargers_far", "--extra-db", "40", "--motor", "1")
    code, out, _ = call(capsys, "slac", *arguments)
    assert code == 3 and "no_answer  No match" in out and "TT_match_response" in out and "remedy:" in out


def test_slac_asks_the_control_pilot_when_two_chargers_hear_alike(capsys):
    code, out, _ = call(capsys, "slac", "--fast", "--cross-talk", "vehicle_at_home")
    assert code == 0 and "validated by the control pilot" in out and "matched with charger 02:" in out


def test_slac_between_namespaces(capsys):
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    code, out, _ = call(capsys, "slac", "--fast", "--veth", "--json")
    told = json.loads(out)
    assert code == 0 and told["match"]["level"] == "direct"


def test_the_time_line_shows_each_turn(capture):
    (session,) = read_capture(capture).sessions
    found = exchanges(session.trace.frame())
    assert [e.message for e in found] == [
        "supportedAppProtocol",
        "SessionSetup",
        *["CurrentDemand"] * 4,
        "SessionStop",
    ]
    assert [round((e.answered_s - e.asked_s) * 1e3) for e in found] == [3, 20, 4, 6, 60, 8, 2]
    assert [round((e.next_s - e.answered_s) * 1e3) for e in found[:-1]] == [1, 5, 5, 5, 5, 1]
    demand = by_message(found)[2]
    assert (demand.count, demand.late) == (4, 1) and demand.margin_s == pytest.approx(-0.035)
    layout = plot_vehicle_trace(session.trace.frame(), session.events, None, 0.25)
    bars = next(
        r
        for r in layout.children[0].renderers
        if r.glyph.__class__.__name__ == "HBar" and "colour" in r.data_source.data
    )
    assert bars.data_source.data["colour"].count("#a4161a") == 2
    assert layout.children[0].y_range.factors[::-1][:2] == ["TCP", "supportedAppProtocol"]
    assert len(layout.children) == 3


def test_traces_of_an_end_and_empty_ones_are_drawn_too():
    trace = Trace()
    trace.add(MessageRecord(T0, "evcc", "tx", "SessionSetupReq", "din", octets=20))
    trace.add(
        MessageRecord(T0 + MS, "evcc", "rx", "SessionSetupRes", "din", octets=20, answer_s=1e-3, limit_s=2.0)
    )
    trace.add(MessageRecord(T0 + 2 * MS, "evcc", "tx", "CurrentDemandReq", "din", octets=20))
    found = exchanges(trace.frame())
    assert [(e.message, e.answer_s, e.note) for e in found] == [
        ("SessionSetup", 1e-3, ""),
        ("CurrentDemand", None, "no answer"),
    ]
    assert plot_vehicle_trace(trace.frame()).children and plot_vehicle_trace(Trace().frame()).children
    assert exchanges(Trace().frame()) == [] and slac_phases(()) == []


def test_a_long_loop_is_thinned_but_keeps_its_slowest():
    trace = Trace()
    for k in range(3 * MOST_SHOWN):
        at = T0 + k * 50 * MS
        slow = 0.02 if k == 777 else 0.001
        trace.add(MessageRecord(at, "secc", "rx", "CurrentDemandReq", "din"))
        trace.add(
            MessageRecord(at + 5, "secc", "tx", "CurrentDemandRes", "din", answer_s=slow, limit_s=0.025)
        )
    shown = thinned(exchanges(trace.frame()))
    assert len(shown) <= MOST_SHOWN + 1 and max(e.answer_s for e in shown) == 0.02

"""Log parsers against hostile text, and against what the gateway itself writes."""

import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2glab.diagnosis import (
    DeratingLogged,
    ExportRefused,
    FaultLogged,
    LinkDown,
    LinkUp,
    TlsFailed,
    parse_event,
    parse_line,
    parse_lines,
    read_log,
)
from v2glab.evidence import InputError
from v2glab.gateway._log import GatewayLog

HEAD = "2026-01-01T00:00:00.500000Z"
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
EVENTS = ("fault", "derating", "export_refused", "tls_alert", "boot", "tls_rejected", "connected")
FIELDS = ("code", "allowed_percent", "reason", "soc_percent", "limit_percent", "status", "certificate")


@given(st.text())
def test_any_line_is_read_or_refused_by_name(text):
    try:
        line = parse_line(text, "x:1")
    except InputError as error:
        assert error.found.startswith("x:1: ")
        return
    assert line.text.isprintable() and "=" not in line.event


@given(st.text(), st.integers() | st.none())
def test_no_line_of_any_text_is_lost_silently(text, since_ns):
    report = read_log("x", text, since_ns)
    lines, skipped = parse_lines("x", text)
    assert len(lines) + sum(skipped.values()) == sum(bool(part.strip()) for part in text.split("\n"))
    assert report.lines == len(lines)


@given(st.sampled_from(["charger", "gateway"]), st.sampled_from(EVENTS), st.data())
def test_known_events_with_any_fields_are_read_or_counted(source, event, data):
    fields = data.draw(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30)))
    text = " ".join(f'{key}="{value}"' for key, value in fields.items())
    line = f"{HEAD} ERROR {source} {event} {text}"
    report = read_log("x", line)
    assert report.lines + sum(report.skipped.values()) >= 1
    for seen in report.events:
        assert seen.line.event == event


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(KEYS.filter(lambda k: k not in ("level", "event")), st.text(max_size=40)))
def test_what_the_gateway_writes_is_read_back(fields, tmp_path):
    path = tmp_path / "gateway.log"
    path.unlink(missing_ok=True)
    log = GatewayLog(path)
    before_ns = int(datetime.datetime.now(datetime.UTC).timestamp()) * 1_000_000_000
    log("WARNING", "something", **fields)
    log.close()
    lines, skipped = parse_lines("g", path.read_text(encoding="utf-8"))
    assert not skipped
    (line,) = lines
    assert (line.level, line.source, line.event) == ("WARNING", "gateway", "something")
    assert 0 <= line.time_ns - before_ns < 60_000_000_000
    expected = {
        key: "".join(c if c.isprintable() else " " for c in value).replace('"', "'")
        for key, value in fields.items()
    }
    assert dict(line.fields) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-13-01T00:00:00Z INFO charger boot", "no time"),
        ("2026-01-01T24:00:00Z INFO charger boot", "no time"),
        ("2026-01-01T00:00:00 INFO charger boot", "no head"),
        ("٢٠٢٦-01-01T00:00:00Z INFO charger boot", "no head"),
        (f"{HEAD} INFO charger boot status", "malformed field"),
        (f'{HEAD} INFO charger boot status="open', "malformed field"),
        (f"{HEAD} INFO charger boot a=1 a=2", "field twice"),
        (f"{HEAD} INFO charger boot a={'x' * 5000}", "too long"),
        ("", "no head"),
    ],
)
def test_what_is_wrong_is_named(text, found):
    with pytest.raises(InputError, match=found):
        parse_line(text, "x:1")


def test_time_stamp_against_the_standard_library():
    line = parse_line("2027-03-04T05:06:07.000123Z INFO charger boot", "x:1")
    moment = datetime.datetime(2027, 3, 4, 5, 6, 7, 123, tzinfo=datetime.UTC)
    assert line.time_ns == round(moment.timestamp() * 1e6) * 1000


def test_events_are_typed():
    text = "\n".join(
        f"{HEAD} ERROR {rest}"
        for rest in (
            "charger fault code=92 cause=contactor_weld commanded=open",
            "charger derating allowed_percent=60.5 heatsink_celsius=79.6",
            "charger export_refused reason=soc soc_percent=12.0 limit_percent=20.0",
            "charger export_refused reason=export_enable register=0x4002",
            'charger tls_alert reason="certificate expired" certificate=station subject=CN=S not_after=X',
            'gateway tls_rejected reason="certificate has expired"',
            "gateway auth_rejected reason=\"certificate of 'a' used for 'b'\"",
            'charger gateway_refused reason="HTTP 401"',
            'charger gateway_refused reason="HTTP 503"',
            "charger boot status=Accepted interval_s=30",
            "charger boot status=Rejected interval_s=30",
            "gateway connected station=S",
            "gateway disconnected station=S",
            "charger gateway_lost url=X",
            "charger transaction_started id=1",
        )
    )
    kinds = [type(event) for event in read_log("x", text).events]
    assert kinds == [
        FaultLogged, DeratingLogged, ExportRefused, ExportRefused, TlsFailed, TlsFailed, TlsFailed, TlsFailed,
        LinkUp, LinkUp, LinkDown, LinkDown,
    ]  # fmt: skip
    assert read_log("x", text).events[0].code == 92
    assert read_log("x", text).events[2].reserve_percent == -8.0


@pytest.mark.parametrize("value", ["", "nan", "inf", "1e5", "0x5c", "٩", "9" * 40])
def test_a_number_that_is_none_is_counted(value):
    text = f'{HEAD} ERROR charger fault code="{value}"'
    with pytest.raises(InputError, match="decimal number"):
        parse_event(parse_line(text, "x:1"))
    assert read_log("x", text).skipped == {"unreadable fault": 1}


def test_old_lines_do_not_count_and_are_named():
    text = f"{HEAD} ERROR charger fault code=92\n2026-01-02T00:00:00Z ERROR charger fault code=85"
    since_ns = parse_line("2026-01-01T12:00:00Z INFO a b", "").time_ns
    report = read_log("x", text, since_ns)
    assert [event.code for event in report.events] == [85]
    assert report.skipped == {"older than asked for": 1}


def test_evidence_cannot_steer_a_terminal():
    line = parse_line(f'{HEAD} ERROR charger tls_alert reason="\x1b[2J"', "x:1")
    assert "\x1b" not in line.shown()

"""The connection as a procedure: stations of the ocpp package on a live site, and the twin."""

import binomial_oracle as oracle
import numpy as np
import pytest
from ocpp_peers import Habits, client_tls, library_station

from v2glab.evidence import DeviceError, InputError, Outcome
from v2glab.gateway import create_pki
from v2glab.procedures import Context, load_procedure, validate_parameters
from v2glab.procedures._connect_ocpp_numbers import quantile
from v2glab.station import open_station

NAME = "STATION-1"
SITE = """
schema = 1
[station]
name = "ocpp-site"
kind = "live"
[site]
jurisdiction = "US-CA"
grid_code = "ieee1547-2018"
nominal_voltage_v = 277.0
nominal_frequency_hz = 60.0
rated_power_w = 11000.0
rated_apparent_power_va = 12000.0
rated_current_a = 14.5
[instruments]
"""
GATEWAY = """
[gateway]
host = "127.0.0.1"
port = {port}
station_id = "STATION-1"
pki = "pki"
"""
FAST = {"connect_timeout_s": 3.0, "event_timeout_s": 0.5, "probes": 5}


class Bench:
    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        self.url = f"wss://127.0.0.1:{port}/{NAME}"
        create_pki(folder / "pki", NAME)
        (folder / "site.toml").write_text(SITE + GATEWAY.format(port=port))

    def execute(self, *, approved=True, **values):
        procedure = load_procedure("connect_ocpp")
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        parameters = validate_parameters(procedure, {**FAST, **values})
        with open_station(self.folder / "site.toml", approve_energise=approved) as station:
            return procedure.execute(Context(parameters, station, work))

    def with_station(self, habits=None, tls=None, **values):
        context = tls or client_tls(self.folder / "pki")
        with library_station(self.url, context, habits or Habits()):
            return self.execute(**values)


@pytest.fixture
def bench(tmp_path, free_port):
    return Bench(tmp_path, free_port)


def outcomes(result):
    return {v.criterion.id.partition("ocpp")[2].lstrip(".-"): v.outcome for v in result.verdicts}


def reason(result, name):
    (found,) = [v.reason for v in result.verdicts if v.criterion.id.endswith(name)]
    return found


def test_a_good_station_passes_everything(bench):
    habits = Habits()
    result = bench.with_station(habits, meter_values=3, probes=80)
    assert set(outcomes(result).values()) == {Outcome.PASS}
    assert result.facts["tls_version"] == "TLSv1.3"
    assert result.facts["boot_status"] == "Accepted"
    assert (result.facts["vendor"], result.facts["model"]) == ("Library", "Wallbox")
    assert habits.triggers == [], "what came by itself is not asked for"
    calls = result.tables["messages"].query("kind == 'CALL'")
    order = calls["action"].tolist()
    assert order[:3] == ["BootNotification", "StatusNotification", "Heartbeat"]
    assert order.index("RequestStartTransaction") < order.index("TransactionEvent")
    assert order[-1] == "TransactionEvent"
    assert order.count("RequestStopTransaction") == 1
    assert order.count("TransactionEvent") >= 5
    assert (result.tables["messages"]["fault"] == "").all()


def test_the_transaction_asks_for_no_power(bench):
    habits = Habits()
    bench.with_station(habits, meter_values=0)
    (sent,) = habits.started
    (schedule,) = sent["charging_profile"]["charging_schedule"]
    assert [p["limit"] for p in schedule["charging_schedule_period"]] == [0.0]


def test_numbers_agree_with_the_table_of_round_trips(bench):
    result = bench.with_station(meter_values=1, probes=80)
    times = result.tables["round_trips"]["round_trip_s"].to_numpy()
    assert len(times) == 82 == result.quantity("round_trips").value
    assert result.quantity("round_trip_max").value == times.max()
    assert result.quantity("round_trip_median").value == np.quantile(times, 0.5, method="inverted_cdf")
    assert result.quantity("round_trip_p95").value == np.quantile(times, 0.95, method="inverted_cdf")
    assert result.quantity("round_trip_p95").uncertainty is not None
    assert all(result.quantity(name).uncertainty is None for name in ("round_trip_max", "connect_time"))
    left = result.quantity("station_certificate_left").value
    assert 364.9 < left <= 365.0
    assert {"round_trip_median", "messages", "station_certificate_left"} <= result.timing


def test_few_round_trips_enclose_nothing(bench):
    result = bench.with_station(meter_values=0, probes=5)
    assert "too few" in result.quantity("round_trip_p95").no_uncertainty
    assert outcomes(result)["round-trip"] is Outcome.INCONCLUSIVE


def test_without_approval_no_transaction_is_started(bench):
    habits = Habits()
    result = bench.with_station(habits, approved=False)
    assert habits.started == []
    found = outcomes(result)
    assert found["transaction.complete"] is found["transaction.sequence"] is Outcome.INCONCLUSIVE
    assert "--approve-energise" in reason(result, "transaction.complete")
    assert found["boot"] is found["certificate"] is found["reports"] is Outcome.PASS


def test_a_silent_station_is_asked_for_its_reports(bench):
    habits = Habits(boots=False, reports=False)
    result = bench.with_station(habits, meter_values=0)
    assert habits.triggers == ["BootNotification", "StatusNotification", "Heartbeat"]
    assert outcomes(result)["boot"] is outcomes(result)["reports"] is Outcome.PASS


@pytest.mark.parametrize(
    ("habits", "failed", "words"),
    [
        (Habits(skips=frozenset({2})), "transaction.sequence", "seqNo 0, 1, 3"),
        (Habits(updates=1), "transaction.complete", ""),
        (Habits(ends=False), "transaction.complete", ""),
        (Habits(leaves_at=2), "transaction.complete", "went away"),
        (Habits(sends_rubbish=True), "2.0.1.schemas", "colour"),
    ],
)
def test_each_fault_fails_its_own_criterion(bench, habits, failed, words):
    result = bench.with_station(habits, meter_values=4)
    found = outcomes(result)
    assert found[failed] is Outcome.FAIL
    assert words in reason(result, failed)
    assert {name for name, outcome in found.items() if outcome is Outcome.FAIL} == {failed}


def test_events_that_are_sent_twice_are_no_fault(bench):
    result = bench.with_station(Habits(repeats=True), meter_values=3)
    assert Outcome.FAIL not in outcomes(result).values()
    assert outcomes(result)["transaction.sequence"] is Outcome.PASS


def test_a_rejected_start_proves_nothing(bench):
    result = bench.with_station(Habits(accepts_start=False))
    assert outcomes(result)["transaction.complete"] is Outcome.INCONCLUSIVE
    assert "NoCable" in reason(result, "transaction.complete")


def test_a_station_that_never_comes_is_inconclusive_and_no_hang(bench):
    result = bench.execute(connect_timeout_s=0.3)
    assert set(outcomes(result).values()) == {Outcome.INCONCLUSIVE}
    assert reason(result, "certificate") == "the station did not connect within 0.3 s"
    assert len(result.tables["messages"]) == 0
    assert result.facts["tls_version"] == result.facts["boot_status"] == ""


def test_a_refused_certificate_fails_with_code_whose_and_why(bench):
    other = create_pki(bench.folder / "other", NAME).folder
    result = bench.with_station(
        tls=client_tls(other, ca=bench.folder / "pki" / "ca.pem"), connect_timeout_s=0.5
    )
    assert outcomes(result)["certificate"] is Outcome.FAIL
    told = reason(result, "certificate")
    assert "OCPP-Auth-401: refused by the gateway" in told and "certificate of the station" in told
    assert {o for n, o in outcomes(result).items() if n != "certificate"} == {Outcome.INCONCLUSIVE}


def test_an_expired_gateway_certificate_is_named_though_the_station_says_nothing(bench):
    create_pki(bench.folder / "pki", NAME, expired=("gateway",))
    result = bench.with_station(connect_timeout_s=0.5)
    assert outcomes(result)["certificate"] is Outcome.FAIL
    told = reason(result, "certificate")
    # asyncio sends no alert, so the gateway hears nothing and judges its own file.
    assert "certificate of the gateway (CN=v2glab gateway), expired on" in told
    assert result.quantity("gateway_certificate_left").value == pytest.approx(-1, abs=0.01)


def test_tls_1_2_fails_the_version_and_not_the_certificate(bench):
    import ssl

    old = client_tls(bench.folder / "pki")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    result = bench.with_station(tls=old, connect_timeout_s=0.5)
    assert outcomes(result)["tls-version"] is Outcome.FAIL
    assert outcomes(result)["certificate"] is Outcome.INCONCLUSIVE


def test_a_site_without_gateway_has_nothing_to_judge(bench):
    (bench.folder / "site.toml").write_text(SITE)
    result = bench.execute()
    assert set(outcomes(result).values()) == {Outcome.NOT_APPLICABLE}
    assert list(result.tables["messages"].columns)[:4] == ["time_s", "direction", "kind", "action"]


def test_a_port_in_use_is_a_device_error(bench):
    import socket

    with socket.create_server(("127.0.0.1", bench.port)), pytest.raises(DeviceError) as caught:
        bench.execute()
    assert caught.value.exit_code == 3 and str(bench.port) in caught.value.found


def test_missing_certificates_are_an_input_error(bench):
    (bench.folder / "pki" / "gateway.key").unlink()
    with pytest.raises(InputError, match="certificates of the gateway"):
        bench.execute()


def test_the_figure_of_every_kind_of_result_can_be_drawn(bench):
    from bokeh.embed import file_html

    from v2glab.views import plot

    assert "No message passed" in file_html(plot(bench.execute(connect_timeout_s=0.1)))
    good = file_html(plot(bench.with_station(meter_values=1)))
    assert "TransactionEvent" in good and "round trip / ms" in good


def test_the_twin_passes_and_its_expired_certificate_fails(tmp_path):
    procedure = load_procedure("connect_ocpp")
    parameters = validate_parameters(procedure, {"meter_values": 2})
    for faults, expected in (((), Outcome.PASS), (("expired_certificate",), Outcome.FAIL)):
        work = tmp_path / f"work{len(faults)}"
        work.mkdir()
        with open_station("twin", faults=faults, seed=7) as station:
            result = procedure.execute(Context(parameters, station, work))
        assert outcomes(result)["certificate"] is expected
        if not faults:
            assert set(outcomes(result).values()) == {Outcome.PASS}
        else:
            assert "certificate has expired" in reason(result, "certificate")
            assert "CN=V2GLAB-TWIN-01" in reason(result, "certificate")


@pytest.mark.parametrize(
    ("count", "share"), [(102, 0.95), (102, 0.5), (80, 0.95), (22, 0.5), (7, 0.5), (300, 0.95)]
)
def test_the_interval_of_a_quantile_holds_its_coverage(count, share):
    values = [float(v) for v in range(1, count + 1)]
    value, spread = quantile(values, share)
    assert value == np.quantile(values, share, method="inverted_cdf")
    lower, upper = oracle.interval(count, share, 0.9545)
    assert spread == max(upper - value, value - lower) / 2
    assert oracle.coverage(count, share, lower, upper) >= 0.9545


def test_a_sample_too_small_for_a_quantile_says_so():
    assert quantile([1.0] * 73, 0.95)[1] is None
    assert quantile([1.0] * 74, 0.95)[1] is not None
    assert quantile([3.0], 0.5) == (3.0, None)

"""The OCPP service against a charging station of the ocpp package, and against hand-made frames."""

import json
import socket
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from ocpp_peers import STAMP, Habits, client_tls, library_station
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from v2glab.evidence import DeviceError, InputError, StorageError, UsageError
from v2glab.gateway import OcppGateway, create_pki

NAME = "STATION-1"


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return create_pki(tmp_path_factory.mktemp("pki"), NAME)


@pytest.fixture
def gateway(tmp_path, pki):
    with OcppGateway(
        "127.0.0.1", 0, pki, tmp_path / "gateway.log", tmp_path / "journal.sqlite", call_timeout_s=0.5
    ) as service:
        yield service


@contextmanager
def raw(gateway, pki):
    url = f"wss://127.0.0.1:{gateway.port}/{NAME}"
    tls = client_tls(pki.folder)
    with connect(url, ssl=tls, subprotocols=["ocpp2.0.1"], proxy=None, max_size=None) as link:
        yield link


def ask(link, *frame):
    link.send(json.dumps(frame))
    return json.loads(link.recv(timeout=5))


def event(number, transaction="t1", kind="Updated"):
    return {
        "eventType": kind,
        "timestamp": STAMP,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": number,
        "transactionInfo": {"transactionId": transaction},
    }


def rows(tmp_path, query):
    with sqlite3.connect(tmp_path / "journal.sqlite") as base:
        return base.execute(query).fetchall()


def test_a_station_of_the_library_boots_reports_and_charges(gateway, pki):
    habits = Habits()
    with library_station(f"wss://127.0.0.1:{gateway.port}/{NAME}", client_tls(pki.folder), habits):
        assert gateway.wait_for(lambda: gateway.connected(NAME), 5)
        desk = gateway.desk(NAME)
        assert gateway.wait_for(lambda: bool(desk.boot) and desk.heartbeats == 1, 5)
        assert desk.boot["chargingStation"] == {"model": "Wallbox", "vendorName": "Library"}
        assert desk.connectors == {(1, 1): "Available"}
        answer = gateway.call(
            NAME,
            "RequestStartTransaction",
            {"idToken": {"idToken": "x", "type": "Central"}, "remoteStartId": 5},
        )
        assert answer["status"] == "Accepted"
        assert gateway.wait_for(lambda: len(desk.events) >= 4, 5)
        stop = gateway.call(NAME, "RequestStopTransaction", {"transactionId": answer["transactionId"]})
        assert stop["status"] == "Accepted"
        assert gateway.wait_for(lambda: desk.events[-1]["eventType"] == "Ended", 5)
    kinds = [e["eventType"] for e in desk.events]
    assert kinds[0] == "Started" and set(kinds[1:-1]) == {"Updated"}
    assert [e["seqNo"] for e in desk.events] == list(range(len(kinds)))
    assert not [seen for _, seen in gateway.messages if seen.fault]


def test_answers_of_the_gateway_fit_the_librarys_schemas(gateway, pki):
    from ocpp.messages import CallResult, _validate_payload

    cases = {
        "BootNotification": {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}},
        "Heartbeat": {},
        "Authorize": {"idToken": {"idToken": "x", "type": "ISO14443"}},
        "StatusNotification": {
            "timestamp": STAMP,
            "connectorStatus": "Faulted",
            "evseId": 1,
            "connectorId": 1,
        },
        "TransactionEvent": {**event(0), "idToken": {"idToken": "x", "type": "Central"}},
        "MeterValues": {"evseId": 1, "meterValue": [{"timestamp": STAMP, "sampledValue": [{"value": 1}]}]},
        "SecurityEventNotification": {"type": "Intrusion", "timestamp": STAMP},
    }
    with raw(gateway, pki) as link:
        for number, (action, payload) in enumerate(cases.items()):
            kind, identity, answer = ask(link, 2, str(number), action, payload)
            assert (kind, identity) == (3, str(number)), answer
            result = CallResult(unique_id=identity, payload=answer)
            result.action = action
            _validate_payload(result, "2.0.1")


def test_nobody_is_authorised_by_an_unknown_token(gateway, pki):
    with raw(gateway, pki) as link:
        answer = ask(link, 2, "a", "Authorize", {"idToken": {"idToken": "x", "type": "ISO14443"}})
    assert answer[2]["idTokenInfo"]["status"] == "Unknown"


def test_a_repeated_message_is_answered_the_same_and_counted_once(gateway, pki, tmp_path):
    with raw(gateway, pki) as link:
        first = ask(link, 2, "a", "TransactionEvent", event(0))
        assert ask(link, 2, "a", "TransactionEvent", event(0)) == first
        other = ask(link, 2, "a", "TransactionEvent", event(1))
    assert other[:3] == [4, "a", "RpcFrameworkError"], "one identity for two payloads"
    assert [e["seqNo"] for e in gateway.desk(NAME).events] == [0]
    assert rows(tmp_path, "SELECT seq_no FROM transaction_event") == [(0,)]


def test_an_event_sent_again_under_a_new_identity_is_acknowledged_and_kept_once(gateway, pki, tmp_path):
    with raw(gateway, pki) as link:
        for identity, number, transaction in (("a", 0, "t1"), ("b", 0, "t1"), ("c", 1, "t1"), ("d", 0, "t2")):
            assert ask(link, 2, identity, "TransactionEvent", event(number, transaction))[0] == 3
    found = [(e["transactionInfo"]["transactionId"], e["seqNo"]) for e in gateway.desk(NAME).events]
    assert found == [("t1", 0), ("t1", 1), ("t2", 0)]
    assert rows(tmp_path, "SELECT transaction_id, seq_no FROM transaction_event ORDER BY 1, 2") == found


def test_events_survive_a_restart_and_are_still_known(tmp_path, pki):
    for _ in range(2):
        service = OcppGateway("127.0.0.1", 0, pki, tmp_path / "g.log", tmp_path / "journal.sqlite")
        with service, raw(service, pki) as link:
            assert ask(link, 2, "a", "TransactionEvent", event(0))[0] == 3
    assert rows(tmp_path, "SELECT count(*) FROM transaction_event") == [(1,)]


def test_every_message_is_in_the_journal_with_its_fault(gateway, pki, tmp_path):
    with raw(gateway, pki) as link:
        ask(link, 2, "a", "Heartbeat", {})
        ask(link, 2, "b", "Heartbeat", {"colour": 1})
        ask(link, 2, "c", "Coffee", {})
        link.send("not JSON")
        link.recv(timeout=5)
    found = rows(tmp_path, "SELECT direction, kind, action, fault <> '' FROM message ORDER BY id")
    assert found == [
        ("in", "CALL", "Heartbeat", 0),
        ("out", "CALLRESULT", "Heartbeat", 0),
        ("in", "CALL", "Heartbeat", 1),
        ("out", "CALLERROR", "Heartbeat", 0),
        ("in", "CALL", "Coffee", 1),
        ("out", "CALLERROR", "Coffee", 0),
        ("in", "?", "", 1),
        ("out", "CALLERROR", "", 0),
    ]


def test_binary_and_oversized_frames_end_the_connection_only(gateway, pki):
    # Head of a masked text frame (RFC 6455, 5.2) of more than a mebibyte. Its payload never comes:
    # with octets unread the kernel may cut the connection before the close frame has arrived.
    oversized = b"\x81\xff" + ((1 << 20) + 1).to_bytes(8) + bytes(4)
    for send, code in (
        (lambda link: link.send(b'[2,"a","Heartbeat",{}]'), 1003),
        (lambda link: link.socket.sendall(oversized), 1009),
    ):
        with raw(gateway, pki) as link:
            send(link)
            with pytest.raises(ConnectionClosed) as caught:
                link.recv(timeout=5)
            assert caught.value.rcvd.code == code
        assert gateway.wait_for(lambda: not gateway.connected(NAME), 5)
    with raw(gateway, pki) as link:
        assert ask(link, 2, "a", "Heartbeat", {})[0] == 3


def test_a_silent_station_is_a_device_error_and_the_next_call_still_works(gateway, pki):
    with raw(gateway, pki) as link:
        assert gateway.wait_for(lambda: gateway.connected(NAME), 5)
        with pytest.raises(DeviceError, match=r"no answer within 0.5 s"):
            gateway.call(NAME, "DataTransfer", {"vendorId": "x"})
        assert json.loads(link.recv(timeout=5))[2] == "DataTransfer"
        answering = threading.Thread(target=answer_one, args=(link, {"status": "UnknownVendorId"}))
        answering.start()
        assert gateway.call(NAME, "DataTransfer", {"vendorId": "x"})["status"] == "UnknownVendorId"
        answering.join()


def answer_one(link, payload):
    call = json.loads(link.recv(timeout=5))
    link.send(json.dumps([3, call[1], payload]))


def test_one_call_at_a_time_goes_to_a_station(gateway, pki):
    with raw(gateway, pki) as link:
        assert gateway.wait_for(lambda: gateway.connected(NAME), 5)
        answers = []
        threads = [
            threading.Thread(
                target=lambda: answers.append(gateway.call(NAME, "DataTransfer", {"vendorId": "x"}))
            )
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        first = json.loads(link.recv(timeout=5))
        with pytest.raises(TimeoutError):
            link.recv(timeout=0.1)
        link.send(json.dumps([3, first[1], {"status": "Accepted"}]))
        answer_one(link, {"status": "Accepted"})
        for thread in threads:
            thread.join(5)
    assert answers == [{"status": "Accepted"}] * 2


def test_a_station_that_connects_again_takes_the_place_of_its_older_self(gateway, pki):
    failed = []

    def call():
        try:
            gateway.call(NAME, "DataTransfer", {"vendorId": "x"})
        except DeviceError as error:
            failed.append(error.found)

    with raw(gateway, pki) as older:
        assert gateway.wait_for(lambda: gateway.connected(NAME), 5)
        thread = threading.Thread(target=call)
        thread.start()
        older.recv(timeout=5)
        with raw(gateway, pki) as newer:
            assert ask(newer, 2, "a", "Heartbeat", {})[0] == 3
            thread.join(5)
            assert failed == ["the station connected again"]
            with pytest.raises(ConnectionClosed):
                older.recv(timeout=5)
            assert gateway.connected(NAME)
            assert ask(newer, 2, "b", "Heartbeat", {})[0] == 3


def test_a_call_to_nobody_or_against_the_schema(gateway, pki):
    with pytest.raises(DeviceError, match="not connected"):
        gateway.call(NAME, "DataTransfer", {"vendorId": "x"})
    with raw(gateway, pki):
        assert gateway.wait_for(lambda: gateway.connected(NAME), 5)
        with pytest.raises(InputError):
            gateway.call(NAME, "DataTransfer", {})


def test_a_port_in_use_is_named_with_a_remedy(gateway, pki, tmp_path):
    other = OcppGateway("127.0.0.1", gateway.port, pki, tmp_path / "b.log", tmp_path / "b.sqlite")
    with pytest.raises(DeviceError) as caught:
        other.start()
    assert str(gateway.port) in caught.value.found and "ss -ltnp" in caught.value.remedy
    assert caught.value.exit_code == 3
    other.stop()


def test_a_gateway_starts_once_and_stops_twice(tmp_path, pki):
    service = OcppGateway("127.0.0.1", 0, pki, tmp_path / "g.log", tmp_path / "j.sqlite")
    service.start()
    with pytest.raises(UsageError):
        service.start()
    port = service.port
    service.stop()
    service.stop()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), 1):
        pass


def test_a_journal_that_cannot_be_written_stops_the_start(tmp_path, pki):
    (tmp_path / "j.sqlite").write_bytes(b"no data base" * 100)
    with pytest.raises(StorageError):
        OcppGateway("127.0.0.1", 0, pki, tmp_path / "g.log", tmp_path / "j.sqlite").start()


def test_nothing_is_acknowledged_that_the_journal_refused(gateway, pki, tmp_path):
    """A second connection holds the write lock for longer than SQLite waits."""
    gateway._journal._base.execute("PRAGMA busy_timeout = 50")
    with raw(gateway, pki) as link:
        assert ask(link, 2, "a", "TransactionEvent", event(0))[0] == 3
        base = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
        base.execute("BEGIN IMMEDIATE")
        link.send(json.dumps([2, "b", "TransactionEvent", event(1)]))
        answered = None
        with suppress(TimeoutError, ConnectionClosed):
            answered = json.loads(link.recv(timeout=1))
        base.execute("ROLLBACK")
        base.close()
    assert answered is None or answered[0] == 4
    assert rows(tmp_path, "SELECT seq_no FROM transaction_event") == [(0,)]


def test_what_a_station_says_stays_on_one_line_of_the_log(gateway, pki, tmp_path):
    from v2glab.diagnosis import parse_lines

    evil = 'x" level=ERROR\n2026-01-01T00:00:00Z ERROR gateway tls_rejected'
    boot = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": evil[:50]}}
    with raw(gateway, pki) as link:
        assert ask(link, 2, "a", "BootNotification", boot)[0] == 3
    lines, skipped = parse_lines("gateway.log", (tmp_path / "gateway.log").read_text())
    (told,) = [line for line in lines if line.event == "boot"]
    assert told.fields["vendor"].startswith("x' level=ERROR 2026")
    assert skipped == {}
    assert not [line for line in lines if line.event == "tls_rejected"]


def test_waiting_ends_in_time(gateway):
    began = time.monotonic()
    assert gateway.wait_for(lambda: False, 0.2) is False
    assert 0.15 < time.monotonic() - began < 2.0

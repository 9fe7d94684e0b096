"""The machine's prerequisites, against what the system's own tools and sockets say."""

import os
import socket
import ssl
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from v2glab.gateway import check_machine
from v2glab.gateway._machine import clock_state, gpio_chips, namespace_kinds, port_holder, realtime_obstacle


def by_name(folder: Path, **options):
    return {check.name: check for check in check_machine(folder, **options)}


def test_every_check_that_is_not_ok_names_a_remedy(tmp_path):
    for check in check_machine(tmp_path):
        assert check.found and check.required
        assert check.remedy if check.status != "ok" else not check.remedy


def test_kernel_is_what_uname_says(tmp_path):
    release = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()
    assert release in by_name(tmp_path)["kernel"].found


def test_port_in_use_is_degraded_and_never_fails(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        check = by_name(tmp_path, ports=(port,))[f"port {port}"]
        assert (check.status, check.failed) == ("degraded", False)
        assert str(port) in check.remedy
    assert port_holder(port) is None


def test_a_disk_that_is_too_small_fails(tmp_path):
    check = by_name(tmp_path, disk_bytes=1 << 62)["disk"]
    assert (check.status, check.failed) == ("missing", True)


def test_a_folder_that_is_yet_to_be_made_counts_as_its_file_system(tmp_path):
    assert by_name(tmp_path / "later" / "still", disk_bytes=0)["disk"].status == "ok"


def test_realtime_is_what_a_shell_can_have():
    tried = subprocess.run(["chrt", "-f", "1", "true"], capture_output=True, check=False)
    assert (realtime_obstacle() is None) == (tried.returncode == 0)
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_namespaces_are_those_of_the_kernel(tmp_path):
    assert set(namespace_kinds()) >= {Path(f"/proc/self/ns/{n}").name for n in ("net", "user")}
    assert namespace_kinds(tmp_path / "nowhere") == ()


def test_gpio_chips_are_found_by_name(tmp_path):
    (tmp_path / "gpiochip0").touch()
    assert gpio_chips(tmp_path) == (str(tmp_path / "gpiochip0"),)


def test_clock_state_agrees_with_adjtimex_of_the_system():
    import ctypes
    import struct

    # A second reading by raw offsets of struct timex on 64-bit Linux: status lies at byte 40.
    raw = ctypes.create_string_buffer(512)
    outcome = ctypes.CDLL(None).adjtimex(raw)
    (status,) = struct.unpack_from("i", raw, 40)
    state = clock_state()
    assert state is not None
    assert state.synchronised == (outcome != 5 and not status & 0x40)


@pytest.mark.parametrize(("version", "status"), [((1, 1, 1, 7, 15), "missing"), ((3, 0, 0, 1, 0), "ok")])
def test_openssl_past_its_end_of_life_is_refused(tmp_path, monkeypatch, version, status):
    monkeypatch.setattr(ssl, "OPENSSL_VERSION_INFO", version)
    assert by_name(tmp_path)["openssl"].status == status


def test_an_old_python_is_refused(tmp_path, monkeypatch):
    info = namedtuple("info", "major minor micro releaselevel serial")
    monkeypatch.setattr(sys, "version_info", info(3, 9, 2, "final", 0))
    assert by_name(tmp_path)["python"].failed

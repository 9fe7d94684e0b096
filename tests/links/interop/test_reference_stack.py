"""Whole sessions with the reference stack, iso15118 0.31.2: our vehicle at its charger, its vehicle at ours.

DIN 70121 in clear, ISO 15118-2 by contract over TLS 1.2, ISO 15118-20 DC bidirectional over mutual TLS 1.3.
Each end finds the other by discovery. Its codec runs in Java.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from own_ends import CASES, CHARGE_W, EXPORT_W
from reference_environment import need_reference, start_isolated

OWN_ENDS = Path(__file__).parent / "own_ends.py"
ENDS = ("vehicle", "charger")
#: It takes a quarter of a minute; two Java machines on two busy cores take longer, and once the installation.
PATIENCE_S = 300
pytestmark = pytest.mark.timeout(PATIENCE_S + 120)


@pytest.fixture(scope="module")
def results():
    """What both of our ends saw; they run side by side, each in a namespace of its own."""
    python = need_reference()
    started = {
        end: start_isolated(
            sys.executable, str(OWN_ENDS), end, python, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for end in ENDS
    }
    try:
        told = {end: process.communicate(timeout=PATIENCE_S) for end, process in started.items()}
    finally:
        for process in started.values():
            process.kill()
    for end, (_, log) in told.items():
        sys.stdout.write(f"--- {end}\n{log[-20_000:]}")
    return {end: json.loads(out) for end, (out, _) in told.items()}


def good(seen):
    """Whether a session ended in order, and nothing but grants was said."""
    answers = [code for _, name, code in seen["messages"] if name.endswith("Res")]
    names = [name for _, name, _ in seen["messages"]]
    return names[-1] == "SessionStopRes" and all(code.startswith("OK") for code in answers)


@pytest.mark.parametrize("case", CASES)
def test_our_vehicle_at_the_references_charger(results, case):
    seen = results["vehicle"][case]
    assert "error" not in seen, seen
    assert good(seen)
    asked = [power for power in CASES[case].powers for _ in range(2)]
    assert seen["powers"] == pytest.approx(asked, rel=5e-3)
    # What its power electronics were told: first the pre-charge, then what we asked for; charging positive.
    currents = [current or 0.0 for _, current in seen["peer"]["commands"]]
    assert max(currents) == pytest.approx(-CHARGE_W / 388, rel=5e-3)
    if CASES[case].protocol == "iso20-dc":
        assert min(currents) == pytest.approx(-EXPORT_W / 388, rel=5e-3)
    assert seen["peer"]["state"] == "SessionStop"


@pytest.mark.parametrize("case", CASES)
def test_the_references_vehicle_at_our_charger(results, case):
    seen = results["charger"][case]
    assert "error" not in seen, seen
    assert seen["peer"]["good"], seen
    assert good(seen)
    assert seen["safe"]
    # It takes 1 A of 400 V; in part 20 it charges and discharges with 10 A in turn. At the grid, with losses.
    if CASES[case].protocol == "iso20-dc":
        assert seen["powers"][:2] == pytest.approx([-4000 / 0.96, 4000 * 0.96], rel=1e-2)
    else:
        assert seen["powers"] == pytest.approx([-400 / 0.96] * len(seen["powers"]), rel=1e-2)
    if case == "iso2-pnc":
        assert ["rx", "AuthorizationReq", ""] in seen["messages"]
        assert ["tx", "PaymentDetailsRes", "OK"] in seen["messages"]

"""Dispatch of one vehicle-year: convex, with a least current, and with a rolling horizon."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

_STEPS = 35_040


def _best(run: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Return the shortest of several times, and the last answer: other work on the machine only ever adds."""
    times, answer = [], None
    for _ in range(repeats):
        begin = time.perf_counter()
        answer = run()
        times.append(time.perf_counter() - begin)
    return min(times), answer


def vehicle_year(*, quarter_hours: bool, least: bool = False) -> Any:
    """A car at home from about 17:30 to 7:30, gone by day; as many price steps as the market has.

    Prices are the example's, hourly, or with a quarter-hour's own deviation (normal, 1 ct/kWh) on each.
    """
    from v2glab.barriers import DispatchProblem
    from v2glab.procedures._barrier_files import read_prices
    from v2glab.resources import find_data

    rng = np.random.default_rng(5)
    price = np.repeat(read_prices(find_data("datasets", "prices", "example-prices.csv")).per_kwh, 4)
    if quarter_hours:
        price = price + rng.normal(0.0, 0.01, _STEPS)
    plugged, drive = np.ones(_STEPS), np.zeros(_STEPS)
    for day in range(365):
        leave, home = 96 * day + rng.integers(26, 34), 96 * day + rng.integers(66, 74)
        plugged[leave:home] = 0.0
        drive[home] = rng.gamma(3.0, 4.0) % 40.0
    charge, discharge = plugged * 2.75 * 0.93, plugged * 2.75 / 0.93
    part = 4.14 / 11
    return DispatchProblem(
        drive_kwh=drive,
        charge_kwh=charge,
        discharge_kwh=discharge,
        buy=(price + 0.03) / 0.93,
        sell=price * 0.93,
        low_kwh=6.0,
        high_kwh=60.0,
        start_kwh=60.0,
        end_kwh=60.0,
        charge_least_kwh=charge * part if least else None,
        discharge_least_kwh=discharge * part if least else None,
    )


def _peer(problem: Any) -> Any:
    sys.path.insert(0, str(Path(__file__).parents[1] / "barriers"))
    from highs_peer import Peer

    return Peer(problem)


def measure_dispatch() -> Iterator[dict[str, object]]:
    """Yield ``dispatch`` (each quarter-hour has its own price) and ``dispatch/hourly``; value in seconds.

    Both solvers are handed the same 35,040 steps; stating the problem is not in it, on either side.
    """
    from v2glab.barriers import dispatch

    for name, quarter_hours in (("dispatch", True), ("dispatch/hourly", False)):
        problem = vehicle_year(quarter_hours=quarter_hours)
        dispatch(problem)
        mine, plan = _best(lambda problem=problem: dispatch(problem), 40)
        peer, cost = _best(_peer(problem).linear, 2)
        difference = abs(plan.cost - cost) / abs(cost)
        if plan.method != "convex, exact" or difference > 1e-9:
            raise SystemExit(f"{name}: {plan.cost} here, {cost} there: no ratio between different optima")
        yield {
            "name": name,
            "value": round(mine, 6),
            "unit": "s",
            "peer": "HiGHS dual simplex (scipy.optimize.linprog), the same problem",
            "ratio": round(peer / mine, 1),
        }


def measure_least_current() -> Iterator[dict[str, object]]:
    """Yield ``dispatch-6a`` in seconds and ``dispatch-6a/gap``, the relative distance above HiGHS's bound.

    HiGHS stops at a relative gap of 0.1 %; hourly prices.
    """
    from v2glab.barriers import dispatch

    problem = vehicle_year(quarter_hours=False, least=True)
    dispatch(problem)
    mine, plan = _best(lambda: dispatch(problem), 5)
    peer = _peer(problem)
    begin = time.perf_counter()
    cost = peer.integer(1e-3)
    taken = time.perf_counter() - begin
    name = "HiGHS MILP (scipy.optimize.milp) to a gap of 0.1 %, the same problem"
    yield {
        "name": "dispatch-6a",
        "value": round(mine, 6),
        "unit": "s",
        "peer": name,
        "ratio": round(taken / mine, 1),
    }
    gap = (plan.cost - peer.bound) / abs(peer.bound)
    yield {
        "name": "dispatch-6a/gap",
        "value": round(gap, 7),
        "unit": "1",
        "peer": f"bound of HiGHS MILP; HiGHS's own plan is off by {(cost - peer.bound) / abs(cost):.1e}",
        "ratio": round(gap / 0.002, 3),
    }


def measure_rolling() -> Iterator[dict[str, object]]:
    """Yield ``rolling``: one year, a plan over the next 48 h in each plugged step; ratio to 1.5 s."""
    from v2glab.barriers import Outlook, dispatch, rolling
    from v2glab.barriers._rolling import published

    problem = vehicle_year(quarter_hours=True)
    at = np.arange(_STEPS)
    outlook = Outlook(at, problem.buy, problem.sell, published(at, 0, 900, _STEPS))
    rolling(problem, outlook)
    mine, plan = _best(lambda: rolling(problem, outlook), 3)
    if plan.cost < dispatch(problem).cost - 1e-6:
        raise SystemExit("a controller without foresight did better than one with it")
    yield {
        "name": "rolling",
        "value": round(mine, 4),
        "unit": "s",
        "peer": "1.5 s, the issue's floor",
        "ratio": round(1.5 / mine, 2),
    }

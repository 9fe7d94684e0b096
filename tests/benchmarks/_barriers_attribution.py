"""2^10 rule sets for a thousand vehicles: measured on 60, extrapolated, and said so."""

import time
from collections.abc import Iterator

_VEHICLES, _FLEET, _FLOOR_S = 60, 1000, 720.0
#: Ten rules that change dispatch or value, the cap on discharged energy among them.
_RULES = (
    "double_levy,export_price_ratio,export_limit,anti_islanding,ride_through_window,connector_ac_dc,"
    "warranty_cycle_cap,pki_roaming,submetering,power_factor_reactive"
)


def measure() -> Iterator[dict[str, object]]:
    """Yield ``attribution``: seconds for a thousand vehicles on two processes; ratio to twelve minutes.

    Prices and sessions are the synthetic examples of 60 users, over a year. The time of the 60 counts from
    the first vehicle that is done to the last, so that starting the processes, which a thousand vehicles pay
    for only once, is not multiplied; it comes on top.
    """
    from v2glab.barriers import (
        Vehicle,
        last_year,
        load_catalogue,
        select_vehicles,
        synthetic_sessions,
        terms_of,
    )
    from v2glab.procedures._barrier_engine import Common, Job, run_jobs
    from v2glab.procedures._barrier_files import parse_sessions
    from v2glab.procedures._barrier_market import read_market

    sessions, _ = parse_sessions(synthetic_sessions(users=_VEHICLES + 4), "synthetic", "Europe/Oslo")
    window, vehicle = last_year(sessions), Vehicle()
    market, _ = read_market("", "example-dynamic", "Europe/Oslo", window)
    years, _ = select_vehicles(sessions, window, vehicle)
    years = years[:_VEHICLES]
    if len(years) < 50:
        raise SystemExit(f"{len(years)} vehicles can be priced, 50 are needed")
    rules = load_catalogue().select(_RULES)
    common = Common((market,), (tuple(terms_of(rules, range(1 << len(rules)))),))
    jobs = [Job(year, vehicle, 0, 0) for year in years]
    common.price(jobs[0])  # compiles, where sources are new; both processes then find it done
    ends: list[float] = []
    begin = time.perf_counter()
    run_jobs(common, jobs, "processes:2", lambda number, column: ends.append(time.perf_counter()))
    start_up = max(ends[0] - begin, 0.0)
    each = (ends[-1] - ends[0]) / (len(jobs) - 1)
    whole = start_up + each * _FLEET
    yield {
        "name": "attribution",
        "value": round(whole, 1),
        "unit": "s",
        "peer": f"12 min, the issue's floor; extrapolated from {len(jobs)} vehicles, 2 processes",
        "ratio": round(_FLOOR_S / whole, 2),
    }

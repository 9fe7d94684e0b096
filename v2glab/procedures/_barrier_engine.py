"""Spread vehicles over this process, over processes, or over a Dask cluster: the same numbers either way.

Each vehicle is priced by itself from the same inputs, so where that happens changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from v2glab.barriers import Market, Terms, Vehicle, VehicleColumn, VehicleYear, price_vehicle
from v2glab.evidence import DeviceError, UsageError

#: Below this many values, starting processes takes longer than computing.
_FEW = 5_000
_FORM = "auto, serial, processes, processes:N, or dask://HOST:PORT"


@dataclass(frozen=True)
class Job:
    """One vehicle-year in one market under many terms."""

    year: VehicleYear
    vehicle: Vehicle
    market: int
    terms: int


@dataclass(frozen=True)
class Common:
    """What jobs share: markets by price year, and lists of terms by draw of the parameters."""

    markets: tuple[Market, ...]
    terms: tuple[tuple[Terms, ...], ...]

    def price(self, job: Job) -> VehicleColumn:
        """Do one job."""
        return price_vehicle(job.year, job.vehicle, self.markets[job.market], self.terms[job.terms])


Done = Callable[[int, VehicleColumn], None]


def check_engine(engine: str) -> str:
    """Return the engine when its name has a known form.

    Raises
    ------
    UsageError
        It has not.
    """
    if not re.fullmatch(r"auto|serial|processes(:[1-9][0-9]{0,2})?|dask://[^\s/:]+:[0-9]{1,5}", engine):
        raise UsageError(f"engine {engine!r}", _FORM, "name one of those")
    return engine


def run_jobs(common: Common, jobs: Sequence[Job], engine: str, done: Done) -> None:
    """Do all jobs; ``done`` is called with number and column of each, in no particular order.

    Raises
    ------
    UsageError
        The engine is unknown, or Dask is not installed.
    DeviceError
        The cluster cannot be reached.
    """
    check_engine(engine)
    if engine == "auto":
        engine = "processes" if sum(len(common.terms[j.terms]) for j in jobs) > _FEW else "serial"
    if engine == "serial" or not jobs:
        found: Iterator[tuple[int, VehicleColumn]] = ((n, common.price(j)) for n, j in enumerate(jobs))
    elif engine.startswith("processes"):
        found = _in_processes(common, jobs, engine.partition(":")[2])
    else:
        found = _on_cluster(common, jobs, engine.removeprefix("dask://"))
    for number, column in found:
        done(number, column)


_shared: list[Common] = []


def _begin(common: Common) -> None:
    _shared[:] = [common]


def _work(number: int, job: Job) -> tuple[int, VehicleColumn]:
    return number, _shared[0].price(job)


def _in_processes(common: Common, jobs: Sequence[Job], count: str) -> Iterator[tuple[int, VehicleColumn]]:
    import multiprocessing
    import os
    from concurrent.futures import ProcessPoolExecutor, as_completed

    workers = min(int(count) if count else len(os.sched_getaffinity(0)), len(jobs))
    # A notebook's kernel has threads, which a fork would not bring along.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin, (common,)) as pool:
        futures = [pool.submit(_work, number, job) for number, job in enumerate(jobs)]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _on_cluster(common: Common, jobs: Sequence[Job], address: str) -> Iterator[tuple[int, VehicleColumn]]:
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise UsageError(
            "engine dask, without Dask here", "the package 'distributed'", "pip install 'v2glab[cluster]'"
        ) from error
    try:
        client: Any = Client(f"tcp://{address}", timeout=10, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise DeviceError(
            f"no Dask scheduler at {address}: {error}",
            "one that answers within 10 s",
            "start it, check the address",
        ) from error
    with client:
        shared = client.scatter(common, broadcast=True)
        futures = [client.submit(_apart, shared, n, job, pure=False) for n, job in enumerate(jobs)]
        for future in as_completed(futures, loop=client.loop):
            yield future.result()


def _apart(common: Common, number: int, job: Job) -> tuple[int, VehicleColumn]:
    return number, common.price(job)

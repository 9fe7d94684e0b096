"""Keep what was priced, so that an analysis that was killed goes on where it stopped.

One line a vehicle, in a file named after all that its numbers depend on: another tariff, another year or
another version of the code begins another file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from v2glab.barriers import Market, VehicleColumn
from v2glab.evidence import InputError
from v2glab.procedures._barrier_engine import Common, Job


def _digest(common: Common, jobs: Sequence[Job]) -> str:
    """Return a digest of everything that the numbers depend on, the code included."""
    import v2glab.barriers as room

    digest = hashlib.sha256()
    for path in sorted(Path(room.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    for market in common.markets:
        digest.update(market.tariff.model_dump_json().encode())
        for array in (market.energy, market.paid):
            digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
        digest.update(repr(market.window).encode())
        _digest_services(digest, market)
    for terms in common.terms:
        digest.update("".join(t.model_dump_json() for t in terms).encode())
    for job in jobs:
        year = job.year
        digest.update(f"{year.user!r} {year.days!r} {job.market} {job.terms}".encode())
        digest.update(job.vehicle.model_dump_json().encode())
        for numbers in (year.start_s, year.end_s, year.energy_kwh):
            digest.update(numbers.tobytes())
    return digest.hexdigest()


def _digest_services(digest: hashlib._Hash, market: Market) -> None:
    services, contract = market.services, market.contract
    digest.update(repr(services.names).encode())
    if contract is not None:
        digest.update(contract.rate.model_dump_json().encode())
        digest.update(f"{contract.metering!r} {contract.timezone}".encode())
    response = services.response
    if response is not None:
        digest.update(f"{response.duration_h!r} {response.undelivered_share!r}".encode())
    arrays = [services.net_load_kwh]
    if response is not None:
        arrays += [response.price, response.called_out, response.called_in, response.pool_kw]
    for array in arrays:
        digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())


class Store:
    """Columns of one analysis in one file; add them as they come, read what is there at the start.

    Parameters
    ----------
    folder
        Where the file lies; made when it is not there.
    """

    def __init__(self, folder: Path, common: Common, jobs: Sequence[Job]) -> None:
        self.path = folder / f"{_digest(common, jobs)[:32]}.jsonl"
        self._sizes = [len(common.terms[job.terms]) for job in jobs]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b")
        except OSError as error:
            raise InputError(f"{folder}: {error}", "a folder that can be written", "name another") from error

    def read(self) -> dict[int, VehicleColumn]:
        """Return columns by the number of their job; what a kill left torn or is not sound is priced anew."""
        self._file.seek(0)
        found: dict[int, VehicleColumn] = {}
        for line in self._file:
            try:
                entry = json.loads(line)
                number, values = entry.pop("job"), tuple(float(v) for v in entry.pop("values"))
                column = VehicleColumn(values, **entry)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
            known = isinstance(number, int) and 0 <= number < len(self._sizes)
            if known and len(values) == self._sizes[number] and all(np.isfinite(values)):
                found[number] = column
        return found

    def add(self, number: int, column: VehicleColumn) -> None:
        """Append one column; it is on the disk when this returns."""
        entry = {
            "job": number,
            "values": column.values,
            "methods": column.methods,
            "gap_eur": column.gap_eur,
            "solved": column.solved,
            "repeated": column.repeated,
        }
        self._file.seek(0, os.SEEK_END)
        # A line that a kill tore must not swallow the next.
        self._file.write(b"\n" + json.dumps(entry).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

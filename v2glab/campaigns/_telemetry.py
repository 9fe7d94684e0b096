"""Telemetry and wire log: SQLite while a run is hot, Parquet when it is sealed."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from v2glab.evidence import Direction, Quantity, StorageError, storing

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 500
_FLUSH_S = 1.0
_TABLES = {
    "telemetry": (
        "time_ns INTEGER, name TEXT, value REAL, unit TEXT, uncertainty REAL, "
        "instrument TEXT, certificate TEXT"
    ),
    "wire": "time_ns INTEGER, instrument TEXT, direction TEXT, data BLOB",
}


class TelemetryStore:
    """A recorder that keeps frames and quantities in one SQLite file; several processes may write to it.

    Raises
    ------
    StorageError
        The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in _TABLES}
        self._flushed_s = time.monotonic()
        self._path = path
        with _storing_rows(self._path):
            self._database = sqlite3.connect(path, check_same_thread=False, timeout=10.0)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            for name, columns in _TABLES.items():
                self._database.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
            self._database.commit()

    def frame(self, *, time_ns: int, instrument: str, direction: Direction, data: bytes) -> None:
        """Keep one raw frame."""
        self._add("wire", (time_ns, instrument, direction, data))

    def quantity(self, quantity: Quantity) -> None:
        """Keep one measured quantity."""
        q = quantity
        row = (q.time_ns, q.name, q.value, q.unit, q.uncertainty, q.instrument, q.certificate)
        self._add("telemetry", row)

    def flush(self) -> None:
        """Write what is still in memory."""
        with self._lock:
            self._write()

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        with _storing_rows(self._path):
            self._database.close()

    def _add(self, table: str, row: tuple[object, ...]) -> None:
        with self._lock:
            self._rows[table].append(row)
            full = sum(map(len, self._rows.values())) >= _BATCH
            if full or time.monotonic() - self._flushed_s > _FLUSH_S:
                self._write()

    def _write(self) -> None:
        with _storing_rows(self._path), self._database:
            for name, rows in self._rows.items():
                places = ", ".join("?" * (_TABLES[name].count(",") + 1))
                self._database.executemany(f"INSERT INTO {name} VALUES ({places})", rows)  # noqa: S608
                rows.clear()
        self._flushed_s = time.monotonic()


@contextmanager
def _storing_rows(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(
            f"{path}: {error}", "room and permission to keep telemetry", "free disk space"
        ) from error


def seal_telemetry(database: Path, folder: Path) -> None:
    """Turn the SQLite file into ``telemetry.parquet`` and ``wire.parquet``, then remove it.

    Rows are ordered by time; rows of the same time keep the order in which they were recorded. The shipped
    schemas ``telemetry-1`` and ``wire-1`` document the columns.

    Raises
    ------
    StorageError
        It could not be read or written whole.
    """
    import pyarrow.parquet as pq

    if database.exists():
        with _storing_rows(database), closing(sqlite3.connect(database)) as connection:
            tables = {name: _read(connection, name) for name in _TABLES}
    else:
        tables = {name: _schema(name).empty_table() for name in _TABLES}
    with storing(str(folder)):
        for name, table in tables.items():
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        for suffix in ("", "-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)


def _read(connection: sqlite3.Connection, name: str) -> pa.Table:
    import pyarrow as pa

    schema = _schema(name)
    rows = connection.execute(f"SELECT * FROM {name} ORDER BY time_ns, rowid").fetchall()  # noqa: S608
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [pa.array(list(column), type=field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _schema(name: str) -> pa.Schema:
    import pyarrow as pa

    kinds = {"INTEGER": pa.int64(), "TEXT": pa.string(), "REAL": pa.float64(), "BLOB": pa.binary()}
    fields = [column.split() for column in _TABLES[name].split(", ")]
    return pa.schema(
        [(field, kinds[kind]) for field, kind in fields], metadata={"schema": f"v2glab-{name}/1"}
    )

"""Every OCPP message in SQLite, on the disk before it is acknowledged."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from v2glab.evidence import StorageError
from v2glab.links import Seen

_TABLES = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, station TEXT NOT NULL, direction TEXT NOT NULL,
    kind TEXT NOT NULL, action TEXT NOT NULL, message_id TEXT NOT NULL, payload TEXT NOT NULL,
    round_trip_s REAL, fault TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS transaction_event (
    station TEXT NOT NULL, transaction_id TEXT NOT NULL, seq_no INTEGER NOT NULL, event TEXT NOT NULL,
    payload TEXT NOT NULL, PRIMARY KEY (station, transaction_id, seq_no)
);
"""
_INSERT = "INSERT INTO message VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Journal:
    """Write-ahead logged and synchronised on every commit: what was answered is on the disk.

    Use it from one thread.

    Raises
    ------
    StorageError
        The file cannot be made, or is no journal.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._storage():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=FULL")
            self._base.executescript(_TABLES)

    def message(self, station: str, seen: Seen) -> None:
        """Keep one message.

        Raises
        ------
        StorageError
            It could not be kept; it must then not be acknowledged.
        """
        payload = json.dumps(seen.payload, sort_keys=True)
        values = (
            seen.time_ns,
            station,
            seen.direction,
            seen.kind,
            seen.action,
            seen.message_id,
            payload,
            seen.round_trip_s,
            seen.fault,
        )
        with self._storage():
            self._base.execute(_INSERT, values)

    def transaction_event(self, station: str, payload: dict[str, Any]) -> bool:
        """Keep one TransactionEvent; ``False`` when that transaction and number is there already.

        A charger that repeats an event after a lost answer gives it a new message identity, so the number
        within the transaction decides (OCPP 2.0.1, part 2, E).
        """
        values = (
            station,
            payload["transactionInfo"]["transactionId"],
            payload["seqNo"],
            payload["eventType"],
            json.dumps(payload, sort_keys=True),
        )
        with self._storage():
            cursor = self._base.execute(
                "INSERT OR IGNORE INTO transaction_event VALUES (?, ?, ?, ?, ?)", values
            )
        return cursor.rowcount == 1

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(sqlite3.Error):
            self._base.close()

    @contextlib.contextmanager
    def _storage(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, OverflowError) as error:
            raise StorageError(
                f"journal {self._path}: {error}",
                "room and permission to write",
                "free space, or name another",
            ) from error

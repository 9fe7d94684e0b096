"""``ro-crate-metadata.json``: what the files of a run are (RO-Crate 1.1, Metadata Specification)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from v2glab.campaigns._provenance import sha256
from v2glab.evidence import write_json

CRATE = "ro-crate-metadata.json"
_PROFILE = "https://w3id.org/ro/crate/1.1"
_TYPES = {
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".ipynb": "application/x-ipynb+json",
    ".html": "text/html",
    ".toml": "application/toml",
    ".log": "text/plain",
    ".conf": "text/plain",
}


def write_crate(folder: Path, record: dict[str, Any]) -> None:
    """Describe every file below the folder with size and SHA-256, and the action that made them."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != CRATE)
    entries = [_file(folder, path) for path in files]
    parts = [{"@id": entry["@id"]} for entry in entries]
    write_json(
        folder / CRATE, {"@context": f"{_PROFILE}/context", "@graph": [*_head(record, parts), *entries]}
    )


def _head(record: dict[str, Any], parts: list[dict[str, str]]) -> list[dict[str, Any]]:
    ended = _time(record["ended_ns"])
    tool = f"v2glab {record['versions'].get('v2glab', '')}".strip()
    return [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": _PROFILE},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Run {record['id']} of station {record['station']['name']}",
            "description": "Field validation of a V2G station: measurements, verdicts, provenance.",
            "datePublished": ended,
            "license": "to be chosen by the author of the run",
            "hasPart": parts,
            "mentions": {"@id": "#run"},
        },
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": record["campaign"],
            "startTime": _time(record["started_ns"]),
            "endTime": ended,
            "instrument": {"@id": "#v2glab"},
            "result": parts,
            "actionStatus": "http://schema.org/CompletedActionStatus"
            if record["status"] == "complete"
            else "http://schema.org/FailedActionStatus",
        },
        {
            "@id": "#v2glab",
            "@type": "SoftwareApplication",
            "name": tool,
            "version": record["git"]["commit"] or "",
        },
    ]


def _file(folder: Path, path: Path) -> dict[str, Any]:
    return {
        "@id": path.relative_to(folder).as_posix(),
        "@type": "File",
        "name": path.name,
        "contentSize": str(path.stat().st_size),
        "encodingFormat": _TYPES.get(path.suffix, "application/octet-stream"),
        "sha256": sha256(path),
    }


def _time(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat(timespec="seconds")

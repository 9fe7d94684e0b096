"""Read the end of log files that may be long, missing, or not text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from v2glab.diagnosis import LogReport, read_log

#: What is read of each log, from its end.
_LONGEST_BYTES = 4 << 20


def read_logs(
    paths: Mapping[str, Path], since_ns: int | None = None
) -> tuple[tuple[LogReport, ...], dict[str, str]]:
    """Return one report a log that could be read, and why the others could not, by name.

    Parameters
    ----------
    since_ns
        Older lines do not count.
    """
    reports, missing = [], {}
    for name, path in paths.items():
        try:
            text, cut = _tail(path)
        except OSError as error:
            missing[name] = f"{path.name} cannot be read ({error.strerror or error})"
            continue
        report = read_log(path.name, text, since_ns)
        if cut:
            skipped = {**report.skipped, "bytes before the part that is read": cut}
            report = LogReport(report.name, report.lines, report.events, skipped)
        reports.append(report)
    return tuple(reports), missing


def _tail(path: Path) -> tuple[str, int]:
    """Return the last whole lines as text, and how many bytes stand before them.

    Raises
    ------
    OSError
        The file cannot be read, or is none.
    """
    if not path.is_file():
        raise FileNotFoundError(2, "no such file")
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        start = max(0, size - _LONGEST_BYTES)
        stream.seek(start)
        data = stream.read(_LONGEST_BYTES)
    if start:
        part = data.partition(b"\n")[2]
        start, data = size - len(part), part
    return data.decode("utf-8", errors="replace"), start

"""Read a recording from files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from v2glab.evidence import InputError, UsageError, read_toml
from v2glab.instruments.recording._comtrade import ComtradeConfig, parse_config, split_cff
from v2glab.instruments.recording._comtrade_data import ComtradeData, parse_data
from v2glab.instruments.recording._csv import columns_of, parse_csv
from v2glab.instruments.recording._model import (
    BRIDGE_STEPS,
    Array,
    Channel,
    Kind,
    Recording,
    is_even,
    median_step_s,
)
from v2glab.instruments.recording._sidecar import (
    ChannelEntry,
    Head,
    Sidecar,
    example_sidecar,
    parse_sidecar,
)

MAX_BYTES = 2_000_000_000
MOST_MISSING = 0.2


def read_recording(path: str | Path, sidecar: str | Path = "") -> Recording:
    """Read COMTRADE (``.cfg`` with ``.dat``, or ``.cff``) or CSV with its sidecar ``FILE.toml``.

    Parameters
    ----------
    path
        The recording; for COMTRADE either part of the pair.
    sidecar
        The sidecar; by default ``<path>.toml`` where that exists. COMTRADE does without when it has exactly
        one set of phase voltages.

    Raises
    ------
    InputError
        A file cannot be read or is not what it has to be.
    UsageError
        It takes a sidecar to know which channel is what; the remedy shows one to copy.
    """
    path = Path(path)
    side_path = Path(sidecar) if sidecar else Path(f"{path}.toml")
    side = parse_sidecar(read_toml(side_path), side_path.name) if sidecar or side_path.exists() else None
    if path.suffix.lower() in (".cfg", ".dat", ".cff"):
        config_bytes, data_bytes = _comtrade_parts(path)
        digest = hashlib.sha256(config_bytes + data_bytes).hexdigest()
        return recording_from_comtrade(path.name, config_bytes, data_bytes, side, digest)
    data = _bytes(path)
    if side is None:
        delimiter = ";" if b";" in data[:2000] else ","
        raise _needs_sidecar(path.name, columns_of(data, delimiter), with_time=True)
    return recording_from_csv(path.name, data, side, hashlib.sha256(data).hexdigest())


def recording_from_csv(name: str, data: bytes, side: Sidecar, sha256: str = "") -> Recording:
    """Build a recording from the bytes of a CSV file; errors as :func:`read_recording`."""
    time, values, start_ns = parse_csv(data, side)
    return _finish(name, side, time, values, start_ns, (), sha256)


def recording_from_comtrade(
    name: str, config_bytes: bytes, data_bytes: bytes, side: Sidecar | None, sha256: str = ""
) -> Recording:
    """Build a recording from the bytes of a COMTRADE pair; errors as :func:`read_recording`.

    Values stored as secondary are brought to primary by the transformer ratio.
    """
    config = parse_config(config_bytes)
    data = parse_data(config, data_bytes)
    side = side or _automatic(name, config)
    rows = [_row(config, entry) for entry in side.channel]
    repairs, values = list(data.repairs), []
    for row in rows:
        channel = config.analog[row]
        ratio = channel.ratio if channel.stored_as == "S" else 1.0
        if ratio != 1.0:
            repairs.append(f"{channel.name}: secondary values times {ratio:g}")
        values.append(_unskewed(data, row, channel.skew_s) * ratio)
        if channel.skew_s:
            repairs.append(f"{channel.name}: skew of {channel.skew_s * 1e6:g} µs taken out")
    if side.recording.nominal_frequency_hz is None and config.line_frequency_hz:
        head = side.recording.model_copy(update={"nominal_frequency_hz": config.line_frequency_hz})
        side = side.model_copy(update={"recording": head})
    return _finish(name, side, data.time_s, np.array(values), config.start_ns, tuple(repairs), sha256)


def _unskewed(data: ComtradeData, row: int, skew_s: float) -> Array:
    """Values at the time stamps, of a channel that was sampled ``skew_s`` after them."""
    values: Array = data.values[row]
    if not skew_s:
        return values
    return np.asarray(np.interp(data.time_s, data.time_s + skew_s, values))


def _row(config: ComtradeConfig, entry: ChannelEntry) -> int:
    found = [i for i, c in enumerate(config.analog) if c.name == entry.column]
    if len(found) != 1:
        names = ", ".join(c.name for c in config.analog)
        raise InputError(
            f"{len(found)} channels named {entry.column!r}", f"one of: {names}", "correct the sidecar"
        )
    return found[0]


def _automatic(name: str, config: ComtradeConfig) -> Sidecar:
    """Take the channels by phase and unit where that leaves no choice."""
    entries: list[ChannelEntry] = []
    units = {"v": ("voltage", "V"), "kv": ("voltage", "kV"), "a": ("current", "A"), "ka": ("current", "kA")}
    names = [c.name for c in config.analog]
    for channel in config.analog:
        kind = units.get(channel.unit.lower())
        if kind and channel.phase in ("a", "b", "c"):
            entries.append(
                ChannelEntry.model_validate(
                    {"column": channel.name, "quantity": kind[0], "phase": channel.phase, "unit": kind[1]}
                )
            )
    keys = [e.name for e in entries]
    if "voltage_a" not in keys or len(set(keys)) < len(keys) or len(set(names)) < len(names):
        raise _needs_sidecar(name, names, with_time=False)
    return Sidecar(schema=1, recording=Head(kind="waveform"), channel=tuple(entries))


def _finish(
    name: str,
    side: Sidecar,
    time: Array,
    values: Array,
    start_ns: int,
    repairs: tuple[str, ...],
    sha256: str,
) -> Recording:
    head = side.recording
    factors = [c.factor(head.nominal_voltage_v) for c in side.channel]
    with np.errstate(over="ignore", invalid="ignore"):
        values = values * np.array(factors)[:, None]
    time, values, cleaned = _clean(time, values, head.kind)
    channels = tuple(
        Channel(c.quantity, c.phase, c.uncertainty * abs(f) if c.uncertainty else None, c.column)
        for c, f in zip(side.channel, factors, strict=True)
    )
    return Recording(
        name,
        head.kind,
        channels,
        time - time[0],
        values,
        start_ns + round(float(time[0]) * 1e9),
        head.nominal_voltage_v,
        head.nominal_frequency_hz,
        repairs + cleaned,
        head.gap_s,
        head.rated_current_a,
        sha256,
        head.clock_ppm * 1e-6 if head.clock_ppm is not None else None,
    )


def _clean(time: Array, values: Array, kind: Kind) -> tuple[Array, Array, tuple[str, ...]]:
    """Refuse what cannot be mended; mend and name the rest."""
    repairs: list[str] = []
    if not np.isfinite(time).all():
        raise InputError("a time stamp that is not finite", "a time for every sample", "mend the time column")
    if (np.diff(time) < 0).any():
        at = int(np.argmax(np.diff(time) < 0))
        raise InputError(f"time runs backwards after sample {at + 1}", "rising time", "sort the recording")
    good = np.isfinite(values).all(axis=0)
    if good.sum() < 2 or (~good).mean() > MOST_MISSING:
        raise InputError(
            f"{(~good).mean():.0%} of the samples without a value", "20 % or less", "record again"
        )
    if not good.all():
        repairs.append(f"{int((~good).sum())} samples without a value left out")
        time, values = time[good], values[:, good]
    equal = np.flatnonzero(np.diff(time) == 0) + 1
    if equal.size and kind == "waveform":
        keep = np.ones(time.size, dtype=bool)
        keep[equal] = False
        time, values = time[keep], values[:, keep]
        repairs.append(f"{equal.size} samples with the time stamp of the one before left out")
    elif equal.size:
        repairs.append(f"{equal.size} equal time stamps taken as steps")
    return time, values, (*repairs, *_unevenness(time, kind))


def _unevenness(time: Array, kind: Kind) -> tuple[str, ...]:
    if time.size < 2:
        raise InputError(f"{time.size} samples", "two or more", "record again")
    step_s, steps = median_step_s(time), np.diff(time)
    if kind == "rms" or is_even(steps, step_s):
        return ()
    uneven = np.abs(steps - step_s) > 0.01 * step_s
    long = steps > BRIDGE_STEPS * step_s
    out = []
    if (uneven & ~long).any():
        at = int(np.argmax(uneven & ~long))
        out.append(
            f"{int((uneven & ~long).sum())} uneven steps (first {steps[at] * 1e6:.3f} µs instead of "
            f"{step_s * 1e6:.3f} µs at {time[at]:.6f} s) evened out by a cubic spline"
        )
    if long.any():
        out.append(f"{int(long.sum())} gaps, the longest {steps.max():.3g} s: nothing assumed there")
    return tuple(out)


def _comtrade_parts(path: Path) -> tuple[bytes, bytes]:
    if path.suffix.lower() == ".cff":
        return split_cff(_bytes(path))
    upper = path.suffix.isupper()
    pair = [path.with_suffix(s.upper() if upper else s) for s in (".cfg", ".dat")]
    return _bytes(pair[0]), _bytes(pair[1])


def _bytes(path: Path) -> bytes:
    return _guarded(path, lambda: path.read_bytes() if path.stat().st_size <= MAX_BYTES else None)


def _guarded(path: Path, read: Callable[[], bytes | None]) -> bytes:
    try:
        data = read()
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: {error}", "a file that can be read", "check name and permission"
        ) from error
    if not data:
        raise InputError(f"{path}: empty, or over {MAX_BYTES} bytes", "a recording", "check the file")
    return data


def _needs_sidecar(name: str, columns: list[str], *, with_time: bool) -> UsageError:
    return UsageError(
        f"{name} with channels {', '.join(columns[:40])}",
        f"a sidecar {name}.toml that says which channel is what",
        f"copy this and adapt it:\n{example_sidecar(columns, with_time=with_time)}",
    )

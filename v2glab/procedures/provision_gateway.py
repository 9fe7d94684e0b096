"""Write a signed firmware image to a file or block device and read it back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import Field

from v2glab.evidence import Quantity, Result, UsageError, Verdict, judge, load_criteria
from v2glab.gateway import Flashed, Manifest, flash_image, make_signed_image, read_manifest
from v2glab.procedures._procedure import Context, Parameters, Procedure
from v2glab.resources import find_data

#: At most this many progress samples a run go to the table.
_SAMPLES = 200


class ProvisionParameters(Parameters):
    """Parameters of provisioning.

    Attributes
    ----------
    image, manifest, public_key
        The firmware, what its maker says of it, and the maker's key; all three or none. With none, a small
        image of ``practice_bytes`` is made and signed.
    target
        Block device or file to write to; empty for ``gateway-target.img`` in the run folder.
    """

    image: str = ""
    manifest: str = ""
    public_key: str = ""
    target: str = ""
    practice_bytes: int = Field(default=4 << 20, ge=1, le=1 << 30)


def execute(context: Context[ProvisionParameters]) -> Result:
    """Check, write, read back; an image or target that is not right stops before the first byte.

    Raises
    ------
    UsageError
        Only some of image, manifest and public key are named.
    InputError, DeviceError, StorageError
        As :func:`v2glab.gateway.flash_image`.
    """
    parameters, start_ns, began = context.parameters, time.time_ns(), time.monotonic()
    image, manifest_path, key = _sources(context)
    target = Path(parameters.target) if parameters.target else context.work_dir / "gateway-target.img"
    rows: list[dict[str, float]] = []

    def progress(done: int, total: int) -> None:
        sample = {"time_s": time.monotonic() - began, "bytes_done": float(done), "share": done / total}
        context.progress(sample)
        if not rows or done == total or sample["share"] - rows[-1]["share"] >= 1 / _SAMPLES:
            rows.append(sample)

    manifest = read_manifest(manifest_path)
    state = context.work_dir / "gateway-state.json"
    done = flash_image(image, manifest, key, target, state, progress)
    quantities = _quantities(done, manifest, start_ns)
    return Result(
        procedure=PROCEDURE.name,
        start_ns=start_ns,
        parameters=parameters.model_dump(),
        quantities=quantities,
        verdicts=_verdicts(quantities),
        tables={"progress": _table(rows)},
        facts={
            "name": done.name,
            "version": done.version,
            "sha256": done.sha256,
            "target": done.target,
            "complete": True,
            "practice": not parameters.image,
        },
        timing=frozenset({"check_time", "write_time", "read_back_time"}),
    )


def _sources(context: Context[ProvisionParameters]) -> tuple[Path, Path, Path]:
    p = context.parameters
    named = [bool(p.image), bool(p.manifest), bool(p.public_key)]
    if all(named):
        return Path(p.image), Path(p.manifest), Path(p.public_key)
    if any(named):
        raise UsageError(
            "only some of image, manifest and public_key", "all three, or none", "name what is missing"
        )
    return make_signed_image(context.work_dir / "practice", p.practice_bytes, context.seed)


def _quantities(done: Flashed, manifest: Manifest, time_ns: int) -> tuple[Quantity, ...]:
    different = 0 if done.sha256 == manifest.sha256 else done.size
    exact: dict[str, Any] = {"uncertainty": 0.0, "time_ns": time_ns, "instrument": "gateway"}
    # The monotonic clock resolves nanoseconds; what it counts includes the scheduler, so none is claimed.
    timed: dict[str, Any] = {
        "no_uncertainty": "one run on a machine that does other work too",
        "time_ns": time_ns,
        "instrument": "gateway",
    }
    return (
        Quantity("image_size", float(done.size), "B", **exact),
        Quantity("bytes_different", float(different), "1", **exact),
        Quantity("check_time", done.check_s, "s", **timed),
        Quantity("write_time", done.write_s, "s", **timed),
        Quantity("read_back_time", done.read_back_s, "s", **timed),
    )


def _verdicts(quantities: tuple[Quantity, ...]) -> tuple[Verdict, ...]:
    criteria = load_criteria(find_data("datasets", "criteria", "gateway.toml"))
    by_name = {q.name: q for q in quantities}
    return tuple(
        judge(criterion, by_name.get(criterion.quantity), evidence=("gateway-state.json", "tables/progress"))
        for criterion in criteria.values()
    )


def _table(rows: list[dict[str, float]]) -> Any:  # noqa: ANN401 -- pandas is imported late
    import pandas as pd

    return pd.DataFrame(rows, columns=["time_s", "bytes_done", "share"])


PROCEDURE = Procedure(
    name="provision_gateway",
    title="Provision the gateway",
    parameters=ProvisionParameters,
    execute=execute,
    needs_station=False,
)

"""Write a checked image to a file or block device and read it back."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import struct
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from v2glab.evidence import DeviceError, InputError, StorageError, write_json
from v2glab.gateway._firmware import Manifest, Progress, check_image, digest_file, read_chunks

STATE_SCHEMA = "v2glab-provisioned/1"
_BLKGETSIZE64 = 0x80081272


@dataclass(frozen=True)
class Flashed:
    """What was written: read back and equal, or this object does not exist."""

    target: str
    name: str
    version: str
    size: int
    sha256: str
    check_s: float
    write_s: float
    read_back_s: float


def flash_image(
    image: Path, manifest: Manifest, public_key: Path, target: Path, state: Path, progress: Progress
) -> Flashed:
    """Check, write, read back, and only then say so in the state file.

    The state file is removed before the first byte is written: it is either complete or absent.

    Parameters
    ----------
    target
        A block device, or a file, which is made or overwritten.
    state
        JSON file that says what is on the target.
    progress
        Called with bytes done and three times the size of the image: check, write, read back.

    Raises
    ------
    InputError
        The image is not what the manifest says, or the target is of the wrong kind, too small or the image
        itself.
    DeviceError
        The target is in use (mounted), cannot be opened, or did not read back what was written.
    StorageError
        It could not be written whole.
    """
    total = 3 * manifest.size
    began = time.monotonic()
    check_image(image, manifest, public_key, lambda done, _: progress(done, total))
    checked = time.monotonic()
    handle = _open_target(target, image, manifest.size)
    try:
        _forget(state)
        _write(handle, image, manifest, target, lambda done: progress(manifest.size + done, total))
        written = time.monotonic()
        _drop_cache(handle)
    finally:
        os.close(handle)
    digest = digest_file(target, manifest.size, lambda done, _: progress(2 * manifest.size + done, total))
    if digest != manifest.sha256:
        raise DeviceError(
            f"{target}: read back SHA-256 {digest}", f"{manifest.sha256}", "replace the medium; do not use it"
        )
    ended = time.monotonic()
    done = Flashed(
        target=str(target),
        name=manifest.name,
        version=manifest.version,
        size=manifest.size,
        sha256=digest,
        check_s=checked - began,
        write_s=written - checked,
        read_back_s=ended - written,
    )
    write_json(state, {"schema": STATE_SCHEMA, **asdict(done)})
    return done


def read_state(state: Path) -> Flashed | None:
    """Return what the state file says, or ``None`` when there is none.

    Raises
    ------
    InputError
        There is one, but it is not what :func:`flash_image` writes.
    """
    try:
        document = json.loads(state.read_bytes())
        if document.pop("schema") != STATE_SCHEMA:
            raise ValueError("another schema")
        return Flashed(**document)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{state}: {error}", STATE_SCHEMA, "provision the gateway again") from error


def _open_target(target: Path, image: Path, size: int) -> int:
    """Open the target for writing; a block device only when nobody else uses it."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        mode = None
    except OSError as error:
        raise DeviceError(f"{target}: {error.strerror}", "a target", "check the name") from error
    if mode is not None and not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
        raise InputError(f"{target}: neither file nor block device", "one of those", "name another target")
    if mode is not None and target.samefile(image):
        raise InputError(f"{target} is the image itself", "another target", "name another target")
    block = mode is not None and stat.S_ISBLK(mode)
    if block and (place := mounted_at(target)):
        raise DeviceError(f"{target} is mounted at {place}", "a device not in use", f"umount {place}")
    # O_EXCL without O_CREAT: the kernel refuses a block device that is mounted or claimed (open(2)).
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if block else os.O_CREAT)
    try:
        handle = os.open(target, flags, 0o600)
    except OSError as error:
        raise DeviceError(
            f"{target}: {error.strerror}", "a target that may be written and is not in use", "umount it first"
        ) from error
    try:
        if block and (room := device_size(handle)) < size:
            raise InputError(f"{target}: {room} bytes", f"room for {size}", "use a larger medium")
        if not block:
            _lock(handle, target)
    except BaseException:
        os.close(handle)
        raise
    return handle


def mounted_at(device: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Return where a block device, or a partition of it, is mounted; empty when nowhere."""
    number = device.stat().st_rdev
    own = {f"{os.major(number)}:{os.minor(number)}"}
    for part in Path(f"/sys/dev/block/{next(iter(own))}").glob("*/dev"):
        own.add(part.read_text(encoding="ascii").strip())
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((f[4] for f in map(str.split, lines) if len(f) > 4 and f[2] in own), "")


def device_size(handle: int) -> int:
    """Return the size of an open block device in bytes."""
    return int(struct.unpack("Q", fcntl.ioctl(handle, _BLKGETSIZE64, b"\0" * 8))[0])


def _lock(handle: int, target: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise DeviceError(f"{target} is being written", "one writer", "wait for the other") from error


def _forget(state: Path) -> None:
    try:
        state.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{state}: {error.strerror}", "a state file", "check the folder") from error


def _write(
    handle: int, image: Path, manifest: Manifest, target: Path, progress: Callable[[int], None]
) -> None:
    digest, done = hashlib.sha256(), 0
    try:
        for chunk in read_chunks(image, manifest.size):
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(handle, view) :]
            done += len(chunk)
            progress(done)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            os.ftruncate(handle, manifest.size)
        os.fsync(handle)
    except OSError as error:
        raise StorageError(
            f"{target}: {error.strerror} after {done} of {manifest.size} bytes", "a whole image", "free space"
        ) from error
    # The image may have been exchanged between check and writing; then what stands there is not signed.
    if digest.hexdigest() != manifest.sha256:
        raise InputError(f"{image} changed while it was written", "the checked image", "start again")


def _drop_cache(handle: int) -> None:
    """Ask the kernel to forget what it holds of the target, so that reading back asks the medium."""
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)

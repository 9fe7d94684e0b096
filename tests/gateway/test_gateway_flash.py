"""Provisioning: what is written is what was signed, or nothing is claimed."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from v2glab.evidence import DeviceError, InputError, StorageError, V2GError
from v2glab.gateway import flash_image, make_signed_image, read_manifest, read_state, sign_image
from v2glab.gateway._flash import mounted_at

SIZE = 3_000_001  # not a whole number of chunks


def silent(done, total):
    pass


@pytest.fixture
def signed(tmp_path):
    return make_signed_image(tmp_path / "maker", SIZE, 7)


def flash(signed, target: Path, progress=silent):
    image, manifest, key = signed
    return flash_image(image, read_manifest(manifest), key, target, target.parent / "state.json", progress)


def test_target_holds_the_image_and_the_state_says_so(signed, tmp_path):
    seen = []
    done = flash(signed, tmp_path / "target", lambda at, of: seen.append((at, of)))
    sums = subprocess.run(
        ["sha256sum", signed[0], tmp_path / "target"], capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in sums.stdout.splitlines()] == [done.sha256] * 2
    assert read_state(tmp_path / "state.json") == done
    assert seen == sorted(seen)
    assert seen[-1] == (3 * SIZE, 3 * SIZE)


def test_signature_is_one_that_openssl_accepts(signed, tmp_path):
    manifest = read_manifest(signed[1])
    (tmp_path / "text").write_bytes(manifest.signed_bytes())
    (tmp_path / "sig").write_bytes(manifest.signature)
    arguments = ["-rawin", "-in", tmp_path / "text", "-sigfile", tmp_path / "sig"]
    subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", signed[2], *arguments],
        check=True,
        capture_output=True,
    )


def test_a_longer_old_file_is_cut(signed, tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"x" * (SIZE + 5000))
    flash(signed, target)
    assert target.read_bytes() == signed[0].read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: bytes([content[0] ^ 1]) + content[1:],
    ],
)
def test_a_damaged_image_stops_before_the_first_byte(signed, tmp_path, damage):
    target = tmp_path / "target"
    flash(signed, target)
    before = (target.read_bytes(), (tmp_path / "state.json").read_bytes())
    signed[0].write_bytes(damage(signed[0].read_bytes()))
    with pytest.raises(InputError):
        flash(signed, target)
    assert (target.read_bytes(), (tmp_path / "state.json").read_bytes()) == before


@pytest.mark.parametrize("field", ["name", "version", "size", "sha256", "signature"])
def test_every_field_of_the_manifest_is_under_the_signature(signed, tmp_path, field):
    document = json.loads(signed[1].read_text())
    value = document[field]
    document[field] = value + 1 if isinstance(value, int) else ("0" if value[0] != "0" else "1") + value[1:]
    signed[1].write_text(json.dumps(document))
    with pytest.raises(InputError):
        flash(signed, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_an_image_signed_by_another_is_refused(signed, tmp_path):
    sign_image(signed[0], signed[1], Ed25519PrivateKey.generate(), name="a", version="1")
    with pytest.raises(InputError, match="signature"):
        flash(signed, tmp_path / "target")


def test_a_medium_that_lies_leaves_no_state(signed, tmp_path, monkeypatch):
    target = tmp_path / "target"
    real_fsync = os.fsync

    def corrupt(handle):
        os.pwrite(handle, b"?", 12345)
        real_fsync(handle)

    monkeypatch.setattr("v2glab.gateway._flash.os.fsync", corrupt)
    with pytest.raises(DeviceError, match="read back"):
        flash(signed, target)
    assert read_state(tmp_path / "state.json") is None


def test_an_interrupted_run_leaves_no_state_and_the_next_completes(signed, tmp_path):
    target = tmp_path / "target"
    flash(signed, target)

    def stop(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flash(signed, target, stop)
    assert read_state(tmp_path / "state.json") is None
    assert flash(signed, target).sha256 == hashlib.sha256(signed[0].read_bytes()).hexdigest()


def test_a_full_disk_is_named(signed, tmp_path):
    def full(handle, data):
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch, pytest.raises(StorageError, match="No space"):
        patch.setattr("v2glab.gateway._flash.os.write", full)
        flash(signed, tmp_path / "target")
    assert read_state(tmp_path / "state.json") is None


def test_wrong_targets_are_refused(signed, tmp_path):
    with pytest.raises(InputError, match="itself"):
        flash(signed, signed[0])
    with pytest.raises(InputError, match="neither"):
        flash(signed, tmp_path)
    with pytest.raises(DeviceError):
        flash(signed, tmp_path / "missing" / "target")


def test_a_second_writer_is_refused(signed, tmp_path):
    target = tmp_path / "target"
    with pytest.raises(DeviceError, match="being written"):
        flash(signed, target, lambda done, total: done > total / 2 and flash(signed, target))


def test_a_mounted_device_is_found_by_its_number(tmp_path):
    device = Path("/dev/null")
    number = device.stat().st_rdev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 {os.major(number)}:{os.minor(number)} / /boot rw - ext4 /dev/x rw\n")
    assert mounted_at(device, mounts) == "/boot"
    mounts.write_text("36 35 250:77 / /boot rw - ext4 /dev/x rw\n")
    assert mounted_at(device, mounts) == ""


@given(st.binary(max_size=400) | st.text().map(str.encode))
def test_any_bytes_as_manifest_are_an_error_of_the_house(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("m") / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(V2GError):
        read_manifest(path)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("ab" * 32)
keys = st.sampled_from(["schema", "name", "version", "size", "sha256", "signature", "more"])


@given(st.dictionaries(keys, values | st.just("v2glab-firmware/1")))
def test_any_document_as_manifest_is_read_or_refused(tmp_path_factory, document):
    path = tmp_path_factory.mktemp("m") / "manifest.json"
    path.write_text(json.dumps(document))
    try:
        manifest = read_manifest(path)
    except InputError:
        return
    assert manifest.size > 0
    assert len(bytes.fromhex(manifest.sha256)) == 32


def test_hostile_keys_are_refused(signed, tmp_path):
    for content in (b"", b"-----BEGIN PUBLIC KEY-----\n", os.urandom(200)):
        signed[2].write_bytes(content)
        with pytest.raises(InputError):
            flash(signed, tmp_path / "target")

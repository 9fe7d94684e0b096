"""Firmware images and their manifests: size, SHA-256 and an Ed25519 signature (RFC 8032)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2glab.evidence import InputError, write_atomic, write_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MANIFEST_SCHEMA = "v2glab-firmware/1"
CHUNK = 1 << 20
_LARGEST_MANIFEST = 1 << 16
_KEYS = {"schema", "name", "version", "size", "sha256", "signature"}

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True)
class Manifest:
    """What the maker of an image says of it; ``signature`` is over :meth:`signed_bytes`."""

    name: str
    version: str
    size: int
    sha256: str
    signature: bytes

    def signed_bytes(self) -> bytes:
        """Return the canonical text under the signature: it binds name, version, size and digest."""
        return f"{MANIFEST_SCHEMA}\n{self.name}\n{self.version}\n{self.size}\n{self.sha256}\n".encode()


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises
    ------
    InputError
        The file cannot be read or is no manifest.
    """
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            raise ValueError(f"longer than {_LARGEST_MANIFEST} bytes")
        document = json.loads(path.read_bytes())
        return _manifest(document)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"manifest {path}: {error}", f"JSON of schema {MANIFEST_SCHEMA}", "get image and manifest again"
        ) from error


def check_image(image: Path, manifest: Manifest, public_key: Path, progress: Progress) -> None:
    """Check signature, size and digest, in that order.

    Raises
    ------
    InputError
        One of them is wrong, or a file cannot be read.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        _load_public_key(public_key).verify(manifest.signature, manifest.signed_bytes())
    except InvalidSignature as error:
        raise InputError(
            f"the signature of {manifest.name} {manifest.version} was not made with the key of {public_key}",
            "a manifest signed by the maker, unchanged",
            "do not use this image; get it again from its maker",
        ) from error
    try:
        size = image.stat().st_size
    except OSError as error:
        raise InputError(f"{image}: {error.strerror}", "a readable image", "check the name") from error
    if size != manifest.size:
        raise InputError(
            f"{image.name}: {size} bytes", f"{manifest.size} bytes (manifest)", "get the image again"
        )
    digest = digest_file(image, size, progress)
    if digest != manifest.sha256:
        raise InputError(
            f"{image.name}: SHA-256 {digest}", f"{manifest.sha256} (manifest)", "get the image again"
        )


def digest_file(path: Path, size: int, progress: Progress) -> str:
    """Return the SHA-256 of the first ``size`` bytes, in hexadecimal."""
    digest, done = hashlib.sha256(), 0
    for chunk in read_chunks(path, size):
        digest.update(chunk)
        done += len(chunk)
        progress(done, size)
    return digest.hexdigest()


def read_chunks(path: Path, size: int) -> Iterator[bytes]:
    """Yield the first ``size`` bytes of a file.

    Raises
    ------
    InputError
        The file cannot be read, or is shorter.
    """
    left = size
    try:
        with path.open("rb", buffering=0) as stream:
            while left:
                chunk = stream.read(min(CHUNK, left))
                if not chunk:
                    raise InputError(f"{path}: ends {left} bytes early", f"{size} bytes", "get it again")
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "a readable file", "check device and name") from error


def make_signed_image(folder: Path, size: int, seed: int) -> tuple[Path, Path, Path]:
    """Make a small image with manifest and key, the same for the same seed, to practise on.

    Returns
    -------
    tuple
        Image, manifest and public key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    folder.mkdir(parents=True, exist_ok=True)
    label = f"v2glab practice image {seed}".encode()
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label).digest())
    content = hashlib.shake_256(label).digest(size)
    image, manifest, public = folder / "gateway.img", folder / "gateway.json", folder / "maker.pem"
    write_atomic(image, content)
    sign_image(image, manifest, key, name="v2glab-gateway", version=f"practice-{seed}")
    write_atomic(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return image, manifest, public


def sign_image(image: Path, manifest: Path, key: Ed25519PrivateKey, *, name: str, version: str) -> None:
    """Write the manifest of an image."""
    size = image.stat().st_size
    unsigned = Manifest(name, version, size, digest_file(image, size, lambda done, of: None), b"")
    fields: dict[str, Any] = {"schema": MANIFEST_SCHEMA, "name": name, "version": version, "size": size}
    fields |= {"sha256": unsigned.sha256, "signature": key.sign(unsigned.signed_bytes()).hex()}
    write_json(manifest, fields)


def _manifest(document: object) -> Manifest:
    if not isinstance(document, dict) or set(document) != _KEYS:
        raise ValueError(f"needs exactly the keys {sorted(_KEYS)}")
    if document["schema"] != MANIFEST_SCHEMA:
        raise ValueError(f"schema {document['schema']!r}")
    texts = [document[k] for k in ("name", "version", "sha256", "signature")]
    size = document["size"]
    if not all(isinstance(t, str) and "\n" not in t for t in texts):
        raise ValueError("name, version, sha256 and signature are texts of one line")
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(f"size {size!r} is no count of bytes")
    name, version, sha256, signature = texts
    if len(sha256) != 64 or len(bytes.fromhex(sha256)) != 32:
        raise ValueError("sha256 has 64 hexadecimal digits")
    return Manifest(name, version, size, sha256.lower(), bytes.fromhex(signature))


def _load_public_key(path: Path) -> Any:  # noqa: ANN401 -- cryptography is imported late
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: {error}", "an Ed25519 public key in PEM", "name the right file") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{path}: another kind of key", "an Ed25519 public key", "name the right file")
    return key

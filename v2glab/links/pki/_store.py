"""Put a PKI on disk: the whole folder or nothing, private keys for the owner only."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from v2glab.evidence import InputError, StorageError, storing
from v2glab.links.pki._certificate import PrivateKey, curve_name
from v2glab.links.pki._defects import BrokenChain
from v2glab.links.pki._issue import V2GPki

_END_OF_LIST = b"-----END X509 CRL-----"


@dataclass(frozen=True)
class PkiFiles:
    """Where the files of a PKI lie: PEM, by role."""

    folder: Path

    def chain(self, role: str) -> Path:
        """Certificate of a role, followed by its sub-CAs; of a CA the same."""
        return self.folder / f"{role}.pem"

    def key(self, role: str) -> Path:
        """Private key of a leaf's role."""
        return self.folder / f"{role}.key"

    def roots(self, role: str) -> Path:
        """Root that the chain of a role leads to."""
        return self.folder / f"{role}.root.pem"

    def load_chain(self, role: str) -> list[x509.Certificate]:
        """Read the certificate of a role and its sub-CAs, leaf first.

        Raises
        ------
        InputError
            The file cannot be read, or holds something else.
        """
        return _load(self.chain(role))

    def curve(self, role: str) -> str:
        """Return the curve of a role's certificate; empty where there is none to read."""
        try:
            return curve_name(self.load_chain(role)[0].public_key())
        except InputError:
            return ""

    def load_roots(self, role: str) -> list[x509.Certificate]:
        """Read the root that the chain of a role leads to; raises as :meth:`load_chain`."""
        return _load(self.roots(role))


def _load(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        required = "certificates in PEM"
        raise InputError(f"{path}: {error}", required, "name the right folder, or make it anew") from error


def load_revocations(path: Path | None) -> list[x509.CertificateRevocationList]:
    """Read lists of revoked certificates; without a file none.

    Raises
    ------
    InputError
        The file cannot be read, or holds something else.
    """
    if path is None:
        return []
    try:
        parts = path.read_bytes().split(_END_OF_LIST)[:-1]
        return [x509.load_pem_x509_crl(part + _END_OF_LIST + b"\n") for part in parts]
    except (OSError, ValueError) as error:
        required = "lists of revoked certificates in PEM"
        raise InputError(f"{path}: {error}", required, "name the right file") from error


def write_pki(
    pki: V2GPki,
    folder: Path,
    *,
    ca_keys: bool = False,
    broken: Sequence[BrokenChain] = (),
) -> PkiFiles:
    """Write every role's chain, root and key into a new folder.

    Parameters
    ----------
    ca_keys
        Keep the private keys of the CAs too; needed only to issue more later.
    broken
        Chains that take the place of the good ones of their roles.

    Raises
    ------
    InputError
        The folder exists: keys are never written over.
    StorageError
        It could not be written whole; nothing is left behind.
    """
    if folder.exists():
        raise InputError(f"{folder} exists", "a folder that does not exist yet", "name another, or remove it")
    put = {chain.role: chain for chain in broken}
    with storing(f"certificates in {folder}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for role, identity in pki.identities.items():
                chain, key = pki.chain(role) or pki.path(role), identity.key
                roots: tuple[x509.Certificate, ...] = (pki.root(role),)
                if role in put:
                    chain, roots, key = put[role].chain, put[role].roots, put[role].key
                files = PkiFiles(work)
                _write(files.chain(role), pem(chain), 0o644)
                _write(files.roots(role), pem(roots), 0o644)
                if ca_keys or not pki.rules.profile[role].ca:
                    _write(files.key(role), key_pem(key), 0o600)
            _settle(work, folder)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
    return PkiFiles(folder)


def pem(certificates: Sequence[x509.Certificate]) -> bytes:
    """Return certificates as PEM, one after the other."""
    return b"".join(c.public_bytes(Encoding.PEM) for c in certificates)


def key_pem(key: PrivateKey) -> bytes:
    """Return a private key as PEM (PKCS #8), not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    # Created with its mode: a key is at no moment readable by others.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _settle(work: Path, folder: Path) -> None:
    work.chmod(0o755)
    try:
        work.rename(folder)
    except OSError as error:
        required = "nothing of that name"
        raise StorageError(f"{folder}: {error.strerror}", required, "name another folder") from error

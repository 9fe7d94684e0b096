"""Contexts of both ends: version, suites, groups, certificates, key log."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from v2glab.evidence import InputError, StorageError
from v2glab.links.pki import PkiFiles, load_revocations
from v2glab.links.tls._rules import Profile, TlsRules, load_tls_rules
from v2glab.links.tls._watch import watch_context

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, CertificateRevocationList

End = Literal["evcc", "secc"]
_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True)
class TlsSettings:
    """How one end speaks TLS.

    Parameters
    ----------
    end
        ``"evcc"`` connects, ``"secc"`` listens.
    files
        Certificates, keys and roots.
    edition
        ``"iso15118-2"`` (TLS 1.2, the charger shows a certificate) or ``"iso15118-20"`` (TLS 1.3, both do).
    curve
        Curve of the certificates; sets the group of the key exchange.
    peer_name
        Common name that the other end's certificate must have; any when empty.
    strict
        Refuse a peer whose chain holds but is none that the edition allows (curve, domain component,
        lifetime); otherwise its findings are only kept.
    key_log
        File that takes the secrets, for reading a capture. Whoever has it reads the session.
    revocations
        File with lists of revoked certificates (PEM); the other end's leaf must then be on none, and the
        list of its issuer must be there.
    show_certificate
        Whether the vehicle shows its certificate; ``False`` to try what a charger does then.
    """

    end: End
    files: PkiFiles
    edition: str = "iso15118-20"
    curve: str = "secp521r1"
    peer_name: str = ""
    strict: bool = True
    key_log: Path | None = None
    revocations: Path | None = None
    show_certificate: bool = True
    rules: TlsRules = field(default_factory=load_tls_rules, repr=False)

    @classmethod
    def of_edition(cls, end: End, files: PkiFiles, edition: str, **more: Any) -> TlsSettings:  # noqa: ANN401 -- fields
        """Return the settings of an edition on the curve of the certificate that this end shows.

        Where it shows none, or none can be read yet, it is the first curve that the edition allows.
        """
        groups = load_tls_rules().of_edition(edition).groups
        made = cls(end, files, edition, next(iter(groups)), **more)
        curve = made.shows and files.curve(made.shows)
        return replace(made, curve=curve) if curve in groups else made

    @property
    def profile(self) -> Profile:
        """What the edition asks."""
        return self.rules.of_edition(self.edition)

    @property
    def shows(self) -> str:
        """Role whose certificate this end shows; empty for none."""
        if self.end == "secc":
            return "secc"
        return self.profile.client_role if self.profile.mutual and self.show_certificate else ""

    @property
    def expects(self) -> str:
        """Role whose certificate the other end must show; empty for none."""
        if self.end == "evcc":
            return "secc"
        return self.profile.client_role if self.profile.mutual else ""

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context of the ssl module, made once.

        Raises
        ------
        InputError
            Edition or curve is unknown, or a certificate or key cannot be used.
        StorageError
            The key log cannot be written.
        """
        return _make(self)

    @cached_property
    def roots(self) -> list[Certificate]:
        """The roots that this end trusts."""
        return self.files.load_roots(self.expects) if self.expects else []

    @cached_property
    def revoked(self) -> list[CertificateRevocationList]:
        """Lists of revoked certificates."""
        return load_revocations(self.revocations)


def _make(settings: TlsSettings) -> ssl.SSLContext:
    profile, server = settings.profile, settings.end == "secc"
    if settings.curve not in profile.groups:
        known = ", ".join(profile.groups)
        raise InputError(
            f"curve {settings.curve!r:.40}", f"for {settings.edition} {known}", "take one of those"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = _VERSIONS[profile.version]
    # A charger has no host name: its certificate is judged by chain, domain component and common name.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if settings.expects else ssl.CERT_NONE
    if profile.version == "TLSv1.2":
        context.set_ciphers(":".join(s.openssl for s in profile.suites if s.openssl))
    context.set_ecdh_curve(profile.groups[settings.curve])
    if server:
        # One ticket tells the vehicle that its certificate was accepted; nothing is resumed.
        context.num_tickets = 1
    _load(context, settings)
    if settings.key_log is not None:
        _log_keys(context, settings.key_log)
    watch_context(context)
    return context


def _load(context: ssl.SSLContext, settings: TlsSettings) -> None:
    files = settings.files
    try:
        if role := settings.shows:
            context.load_cert_chain(files.chain(role), files.key(role))
        if role := settings.expects:
            context.load_verify_locations(files.roots(role))
            if settings.revocations is not None:
                context.load_verify_locations(settings.revocations)
                context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"certificates of {role!r} in {files.folder}: {error}",
            f"{role}.pem, {role}.key and {role}.root.pem that belong together",
            "make them again with make_pki and write_pki",
        ) from error


def _log_keys(context: ssl.SSLContext, path: Path) -> None:
    try:
        # Made first, for the owner only: OpenSSL would make it with the umask's mode.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        context.keylog_filename = str(path)
    except OSError as error:
        required = "a file that can be written"
        raise StorageError(f"key log {path}: {error.strerror}", required, "name another") from error

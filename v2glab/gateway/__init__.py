"""The gateway: its certificates, its OCPP service, its firmware, and what its machine must have."""

from v2glab.gateway._firmware import Manifest, make_signed_image, read_manifest, sign_image
from v2glab.gateway._flash import Flashed, flash_image, read_state
from v2glab.gateway._gateway import OcppGateway
from v2glab.gateway._pki import CertificateFacts, PkiPaths, create_pki, inspect_certificate, inspect_der
from v2glab.gateway._prerequisites import Check, check_machine
from v2glab.gateway._tls import Refusal, client_context, tls_reason

__all__ = [
    "CertificateFacts",
    "Check",
    "Flashed",
    "Manifest",
    "OcppGateway",
    "PkiPaths",
    "Refusal",
    "check_machine",
    "client_context",
    "create_pki",
    "flash_image",
    "inspect_certificate",
    "inspect_der",
    "make_signed_image",
    "read_manifest",
    "read_state",
    "sign_image",
    "tls_reason",
]

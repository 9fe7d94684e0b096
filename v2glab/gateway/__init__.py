"""The gateway: its certificates, its OCPP service, its firmware, and what its machine must have."""

from v2glab.gateway._pki import CertificateFacts, PkiPaths, create_pki, inspect_certificate

__all__ = ["CertificateFacts", "PkiPaths", "create_pki", "inspect_certificate"]

"""Certificates of ours in the folders and under the names that the reference stack reads."""

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

#: Role here, file name there; a part 20 vehicle shows what the reference calls its OEM chain.
_CERTIFICATES = {
    "contract": "contractLeaf", "mo-sub2": "moSubCA2", "mo-sub1": "moSubCA1", "mo-root": "moRootCA",
    "secc": "seccLeaf", "cpo-sub2": "cpoSubCA2", "cpo-sub1": "cpoSubCA1", "v2g-root": "v2gRootCA",
    "cps": "cpsLeaf", "cps-sub2": "cpsSubCA2", "cps-sub1": "cpsSubCA1",
    "oem": "oemLeaf", "oem-root": "oemRootCA",
}  # fmt: skip
_KEYS = ("contract", "secc", "oem")


def lay_out(pki, folder):
    """Write a PKI; return the folder's name as the reference wants it."""
    certificates, keys = folder / "iso15118_2/certs", folder / "iso15118_2/private_keys"
    certificates.mkdir(parents=True)
    keys.mkdir()
    owner = {"oem": "vehicle" if "vehicle" in pki.identities else "oem-provisioning"}
    for role, name in _CERTIFICATES.items():
        identity = pki.identity(owner.get(role, role))
        for encoding, ending in ((Encoding.DER, "der"), (Encoding.PEM, "pem")):
            (certificates / f"{name}Cert.{ending}").write_bytes(identity.certificate.public_bytes(encoding))
        if role in _KEYS:
            plain = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (keys / f"{name}.key").write_bytes(plain)
            (keys / f"{name}Password.txt").write_text("")
    for role, name in (("secc", "cpo"), (owner["oem"], "oem")):
        chain = b"".join(c.public_bytes(Encoding.PEM) for c in pki.chain(role))
        (certificates / f"{name}CertChain.pem").write_bytes(chain)
    return f"{folder}/"

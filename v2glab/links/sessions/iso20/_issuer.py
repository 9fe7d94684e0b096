"""A mobility operator and its provisioning service behind the charger, small and on one's own PKI."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from v2glab.evidence import InputError
from v2glab.links.pki._issue import describe, issue
from v2glab.links.sessions._contract import chain_body, common_name
from v2glab.links.sessions._signature import Part, sign
from v2glab.links.sessions.iso20._contract import COMMON, EDITION, INSTALLATION
from v2glab.links.sessions.iso20._envelope import bound_to, seal
from v2glab.links.sessions.iso20._rules import load_iso20_rules

if TYPE_CHECKING:
    from cryptography import x509

    from v2glab.links.pki import V2GPki
    from v2glab.links.sessions._message import Body


@dataclass(frozen=True)
class Issued:
    """A contract for a vehicle: chain of the provisioning service, what it signed, its signature."""

    cps_chain: Body
    data: Body
    signature: Body


class ContractIssuer:
    """Issues contracts on secp521r1.

    Parameters
    ----------
    pki
        With the keys of the provisioning service and of the operator's lower CA.
    contracts
        Contract identifiers (eMAID) by vehicle (PCID, the common name of its provisioning certificate); None
        gives every vehicle the one of the PKI's rules.
    """

    def __init__(self, pki: V2GPki, contracts: Mapping[str, str] | None = None) -> None:
        if pki.curve != "secp521r1":
            required = "a PKI on secp521r1"
            raise InputError(f"a PKI on {pki.curve}", required, "make the issuer's PKI with that curve")
        self._pki, self._contracts = pki, contracts

    async def issue(self, provisioning: x509.Certificate) -> Issued | None:
        """Return a contract for the vehicle of a provisioning certificate; None when there is none.

        Raises
        ------
        InputError
            The certificate's key is none that a contract can be sealed for.
        """
        vehicle = common_name(provisioning)
        name = "" if self._contracts is None else self._contracts.get(vehicle, "")
        if self._contracts is not None and not name:
            return None
        receiver = provisioning.public_key()
        if not isinstance(receiver, ec.EllipticCurvePublicKey) or receiver.curve.name != "secp521r1":
            required = "a provisioning certificate on secp521r1"
            raise InputError(f"{vehicle}: another curve", required, "use an envelope for that curve")
        return self._issued(vehicle, name, receiver)

    def _issued(self, vehicle: str, name: str, receiver: ec.EllipticCurvePublicKey) -> Issued:
        pki, rules = self._pki, load_iso20_rules().installation
        described = describe(pki.rules.profile["contract"], datetime.now(UTC), pki.rules, name)
        made = issue("contract", described, "secp521r1", pki.identity("mo-sub2"))
        if not isinstance(made.key, ec.EllipticCurvePrivateKey):
            raise InputError("another kind of key", "one on secp521r1", "name that curve")
        envelope = seal(made.key, receiver, bound_to(vehicle, made.certificate), rules)
        chain = (made.certificate, *pki.chain("contract")[1:])
        data: Body = {
            "Id": "installation",
            "ContractCertificateChain": chain_body([c.public_bytes(Encoding.DER) for c in chain]),
            "ECDHCurve": rules.curve,
            "DHPublicKey": base64.b64encode(envelope.public_key).decode(),
            "SECP521_EncryptedPrivateKey": base64.b64encode(envelope.sealed).decode(),
        }
        signature = sign([Part(COMMON, INSTALLATION, data)], pki.identity("cps").key, edition=EDITION)
        service = [c.public_bytes(Encoding.DER) for c in pki.chain("cps")]
        return Issued(chain_body(service), data, signature)

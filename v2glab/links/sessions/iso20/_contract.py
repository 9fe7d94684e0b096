"""Plug and Charge: what the vehicle signs, and how the charger judges it (ISO 15118-20, 7.9.2.4)."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from v2glab.evidence import InputError
from v2glab.links.sessions._contract import chain_of, check_chain, common_name, load_leaf
from v2glab.links.sessions._message import Message
from v2glab.links.sessions._signature import Part, SignatureError, verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from v2glab.links.pki import ChainFinding
    from v2glab.links.sessions.iso20._charger import ChargerSide

EDITION = "iso15118-20"
COMMON = "urn:iso:std:iso:15118:-20:CommonMessages"
AUTHORIZATION_MODE = "PnC_AReqAuthorizationMode"
METERING = "SignedMeteringData"
INSTALLATION = "SignedInstallationData"
PROVISIONING = "OEMProvisioningCertificateChain"


def judge_contract(side: ChargerSide, request: Message) -> str:
    """Judge challenge, chain and signature of an AuthorizationReq; keep contract and key in ``side``.

    Returns
    -------
    str
        The warning with which it is refused; ``OK`` or a remark when it holds.

    Raises
    ------
    Refusal
        The signature does not hold.
    """
    block = request.body[AUTHORIZATION_MODE]
    if not side.challenge or not hmac.compare_digest(_octets(block["GenChallenge"]), side.challenge):
        return "WARNING_ChallengeInvalid"
    try:
        shown = chain_of(block["ContractCertificateChain"])
        findings = charger_check(side, shown, "contract")
        leaf = load_leaf(shown)
    except InputError:
        return "WARNING_CertificateValidationError"
    if findings:
        return side.rules.chain.get(findings[0].reason, "WARNING_CertificateValidationError")
    side.contract_key = leaf.public_key()
    try:
        parts = [Part(COMMON, AUTHORIZATION_MODE, block)]
        verify(request.signature, parts, side.contract_key, edition=EDITION)
    except SignatureError as error:
        raise side.rules.refuse("signature", error.found) from error
    side.contract = common_name(leaf)
    moment = side.offer.moment() if side.offer.moment else datetime.now(UTC)
    ends = leaf.not_valid_after_utc - moment
    return "OK_CertificateExpiresSoon" if ends < timedelta(days=side.rules.figures.expires_days) else "OK"


def charger_check(side: ChargerSide, shown: Sequence[bytes], role: str) -> tuple[ChainFinding, ...]:
    """Return what is wrong with a chain that a vehicle showed; as :func:`check_chain`."""
    offer = side.offer
    moment = offer.moment() if offer.moment else None
    return check_chain(
        shown, offer.roots, role, edition=EDITION, moment=moment, revocations=offer.revocations
    )


def _octets(text: str) -> bytes:
    return base64.b64decode(text)

"""The charger's side of Plug and Charge in ISO 15118-2: contract, challenge, authorisation, receipts."""

from __future__ import annotations

import base64
import hmac
from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING

from v2glab.evidence import InputError
from v2glab.links.sessions._contract import chain_of, check_chain, common_name, load_leaf, same_contract
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._plant import ChargerReading
from v2glab.links.sessions._serve import Answer
from v2glab.links.sessions._signature import Part, SignatureError, verify
from v2glab.links.sessions.edition1._charger import Edition1Service

if TYPE_CHECKING:
    from cryptography import x509

NAMESPACE = "urn:iso:15118:2:2013:MsgDef"
EDITION = "iso15118-2"
_CHALLENGE_OCTETS = 16


class ContractAnswers(Edition1Service):
    """Answers of Plug and Charge; also the meter's reading, for which it wants receipts."""

    payment = "ExternalPayment"
    _leaf: x509.Certificate | None = None
    _challenge = b""
    _receipt: Body | None = None
    _confirmed = _proven = False

    async def _payment_details(self, request: Message) -> Answer:
        try:
            chain = chain_of(request.body["ContractSignatureCertChain"])
            findings = check_chain(
                chain, self.offer.roots, "contract",
                edition=EDITION, moment=self.moment(), revocations=self.offer.revocations,
            )  # fmt: skip
        except InputError as error:
            raise self.refusal("contract-chain", error.found) from error
        if findings:
            why = self.rules.contract.get(findings[0].reason, "contract-chain")
            raise self.refusal(why, str(findings[0]))
        return self._challenge_for(chain[0], request.body["eMAID"])

    def _challenge_for(self, leaf: bytes, told: str) -> Answer:
        self._leaf = load_leaf([leaf])
        name = common_name(self._leaf)
        if not same_contract(name, told):
            raise self.refusal("contract-chain", f"eMAID {told}, certificate {name}")
        self._proven = False
        self.contract, self._challenge = told, self.offer.random(_CHALLENGE_OCTETS)
        soon = self.moment() + timedelta(days=self.rules.choice.expires_soon_days)
        code = "OK_CertificateExpiresSoon" if self._leaf.not_valid_after_utc < soon else "OK"
        challenge = base64.b64encode(self._challenge).decode()
        body = {"GenChallenge": challenge, "EVSETimeStamp": self.timestamp()}
        return self.granted("PaymentDetails", body, code=code)

    def _check_proof(self, request: Message) -> None:
        """Refuse an AuthorizationReq that does not answer the challenge, or is signed by somebody else.

        Open vehicles repeat it empty while the charger is busy: one proof is enough.
        """
        if self._proven and not request.body:
            return
        told = base64.b64decode(request.body.get("GenChallenge", ""))
        if not hmac.compare_digest(told, self._challenge):
            raise self.refusal("challenge", f"{told.hex() or 'none'}, not {self._challenge.hex()}")
        self._check_signature(request, "AuthorizationReq")
        self._proven = True

    def _check_signature(self, request: Message, element: str) -> None:
        key = self._leaf.public_key() if self._leaf else None
        try:
            verify(request.signature, [Part(NAMESPACE, element, request.body)], key, edition=EDITION)
        except SignatureError as error:
            raise self.refusal("signature", error.found) from error

    def _meter(self, reading: ChargerReading) -> tuple[Body, str]:
        """Return MeterInfo with ReceiptRequired, and the state of the sequence that follows.

        A receipt is asked for once a session, of a vehicle that pays by contract.
        """
        info: Body = {
            "MeterID": self.offer.meter_id, "MeterReading": round(reading.energy_import_wh),
            "TMeter": self.timestamp(),
        }  # fmt: skip
        asks = self.offer.confirm_metering and self.payment == "Contract" and not self._confirmed
        self._receipt = info if asks else None
        return {"MeterInfo": info, "ReceiptRequired": asks}, "Receipt" if asks else ""

    async def _metering_receipt(self, request: Message) -> Answer:
        if request.body["MeterInfo"] != self._receipt:
            text = f"{request.body['MeterInfo']}, not {self._receipt}"
            raise self.refusal("metering", text)
        self._check_signature(request, "MeteringReceiptReq")
        self._confirmed, self._receipt = True, None
        return self.granted("MeteringReceipt", await self._status(), self.kind)

    @abstractmethod
    async def _status(self, *, stopped: bool = False) -> Body:
        """Return the EVSEStatus of the current that flows."""

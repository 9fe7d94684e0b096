"""Plug and Charge at the vehicle: contract chain and key from files, signatures over what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2glab.links.sessions._contract import chain_body, load_identity
from v2glab.links.sessions._signature import Part, sign
from v2glab.links.sessions.iso20._contract import AUTHORIZATION_MODE, COMMON, EDITION, METERING
from v2glab.links.sessions.iso20._metering import metering_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from v2glab.links.pki._certificate import PrivateKey
    from v2glab.links.sessions._message import Body, Message
    from v2glab.links.sessions.iso20._vehicle_side import VehicleSide


def sign_authorization(side: VehicleSide, setup: Message, body: Body) -> Body:
    """Add challenge and contract chain to an AuthorizationReq; return its signature."""
    block = setup.body.get("PnC_ASResAuthorizationMode")
    if block is None:
        raise side.asker.fail("not-authorised", setup, "no challenge")
    chain, key = _contract(side)
    body[AUTHORIZATION_MODE] = {
        "Id": "authorization",
        "GenChallenge": block["GenChallenge"],
        "ContractCertificateChain": chain_body(chain),
    }
    return sign([Part(COMMON, AUTHORIZATION_MODE, body[AUTHORIZATION_MODE])], key, edition=EDITION)


async def confirm_metering(side: VehicleSide, meter: Body) -> None:
    """Sign the reading that the charger told."""
    _, key = _contract(side)
    signed = metering_body(side.asker.session_id, meter, side.schedule_id, side.mode)
    signature = sign([Part(COMMON, METERING, signed)], key, edition=EDITION)
    await side.ask("MeteringConfirmation", {METERING: signed}, signature)


def _contract(side: VehicleSide) -> tuple[Sequence[bytes], PrivateKey]:
    if side.contract is not None:
        return side.contract.chain, side.contract.key
    own = load_identity(side.wishes.contract, "contract")
    return own.chain, own.key

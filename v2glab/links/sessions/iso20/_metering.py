"""Confirmation of the meter's reading, signed with the contract (ISO 15118-20, MeteringConfirmation)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2glab.links.sessions._signature import Part, SignatureError, verify
from v2glab.links.sessions.iso20._contract import COMMON, EDITION, METERING

if TYPE_CHECKING:
    from v2glab.links.sessions._message import Body, Message
    from v2glab.links.sessions._serve import Answer
    from v2glab.links.sessions.iso20._charger import ChargerSide
    from v2glab.links.sessions.iso20._modes import Mode


def metering_body(session_id: str, meter: Body, schedule_id: int, mode: Mode) -> Body:
    """Return what the vehicle signs."""
    control: Body = {"SelectedScheduleTupleID": schedule_id} if mode.scheduled else {}
    return {
        "Id": "metering",
        "SessionID": session_id,
        "MeterInfo": meter,
        f"{mode.control_name}_SMDTControlMode": control,
    }


async def metering_confirmation(side: ChargerSide, request: Message) -> Answer:
    """Check the vehicle's signature over the reading that the charger told."""
    signed = request.body[METERING]
    if signed["SessionID"] != side.session_id or signed["MeterInfo"]["MeterID"] != side.offer.meter_id:
        raise side.rules.refuse("metering-signature", "a reading of another session or meter")
    try:
        verify(request.signature, [Part(COMMON, METERING, signed)], side.contract_key, edition=EDITION)
    except SignatureError as error:
        raise side.rules.refuse("metering-signature", error.found) from error
    side.metering = "confirmed"
    return side.answer("MeteringConfirmation", side.kind)

"""Installation of a contract certificate, both ends (ISO 15118-20, 7.9.2.5 and 8.3.4.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from v2glab.links.sessions._message import Message
    from v2glab.links.sessions._serve import Answer
    from v2glab.links.sessions.iso20._charger import ChargerSide


async def certificate_installation(side: ChargerSide, request: Message) -> Answer:
    """Pass the vehicle's request to the issuing backend."""
    raise side.rules.refuse("no-issuer", "this charger has no way to an issuer")

"""The charger's service of ISO 15118-20: which request is answered by what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from v2glab.evidence import DeviceError, LimitError
from v2glab.links.sessions._offer import Offer
from v2glab.links.sessions._plant import ChargerPlant
from v2glab.links.sessions._serve import Answer
from v2glab.links.sessions.iso20 import _charger_agree as agree
from v2glab.links.sessions.iso20 import _charger_begin as begin
from v2glab.links.sessions.iso20 import _charger_deliver as deliver
from v2glab.links.sessions.iso20 import _charger_loop as loop
from v2glab.links.sessions.iso20._charger import ChargerSide
from v2glab.links.sessions.iso20._install import certificate_installation
from v2glab.links.sessions.iso20._metering import metering_confirmation

if TYPE_CHECKING:
    from v2glab.links.sessions._message import Message
    from v2glab.links.sessions._serve import Handler

Answering = Callable[[ChargerSide, "Message"], Awaitable[Answer]]
_COMMON: Mapping[str, Answering] = {
    "SessionSetup": begin.session_setup,
    "AuthorizationSetup": begin.authorization_setup,
    "CertificateInstallation": certificate_installation,
    "Authorization": begin.authorization,
    "ServiceDiscovery": begin.service_discovery,
    "ServiceDetail": begin.service_detail,
    "ServiceSelection": begin.service_selection,
    "ScheduleExchange": agree.schedule_exchange,
    "PowerDelivery": deliver.power_delivery,
    "MeteringConfirmation": metering_confirmation,
    "SessionStop": deliver.session_stop,
}
_AC: Mapping[str, Answering] = {
    "AC_ChargeParameterDiscovery": agree.charge_parameters,
    "AC_ChargeLoop": loop.ac_loop,
}
_DC: Mapping[str, Answering] = {
    "DC_ChargeParameterDiscovery": agree.charge_parameters,
    "DC_CableCheck": agree.cable_check,
    "DC_PreCharge": agree.pre_charge,
    "DC_ChargeLoop": loop.dc_loop,
    "DC_WeldingDetection": deliver.welding_detection,
}


class Iso20Service:
    """One session of AC or DC; implements ``Service``. ``side`` is what it knows."""

    def __init__(self, side: ChargerSide) -> None:
        self.side = side
        answering = {**_COMMON, **(_AC if side.kind == "AC" else _DC)}
        self.handlers: Mapping[str, Handler] = {n: self._guarded(f) for n, f in answering.items()}

    @property
    def session_id(self) -> str:
        """Identifier that the session was given."""
        return self.side.session_id

    @property
    def prefers(self) -> tuple[str, ...]:
        """Elements of a refusal where the table asks for one of several."""
        mode = self.side.mode
        control = f"{mode.control_name}_SEResControlMode"
        return (mode.discovery("Res"), mode.loop("Res"), control)

    def _guarded(self, answering: Answering) -> Handler:
        async def answer(request: Message) -> Answer:
            rules = self.side.rules
            try:
                return await answering(self.side, request)
            except LimitError as error:
                raise rules.refuse("outside-limits", error.found) from error
            except DeviceError as error:
                reading = await self.side.plant.read()
                raise self.side.refusal_of_fault(reading) or rules.refuse("contactor", error.found) from error

        return answer


def make_service(protocol: str, plant: ChargerPlant, offer: Offer) -> Iso20Service:
    """Return the service of one session of ``iso20-ac`` or ``iso20-dc``."""
    return Iso20Service(ChargerSide(plant, offer, "AC" if protocol == "iso20-ac" else "DC", protocol))

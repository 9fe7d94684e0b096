"""What a charger offers besides power, whatever the protocol: services, authorisation, metering, wishes."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from v2glab.links.sessions._paused import PausedSessions
from v2glab.links.sessions._vehicle import Notice, Service

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from v2glab.links.pki import PkiFiles
    from v2glab.links.sessions._plant import PowerLimits
    from v2glab.links.sessions.iso20 import ContractIssuer

Grant = Literal["granted", "ongoing", "waiting", "refused"]


@dataclass(frozen=True)
class Identification:
    """Who asks for energy: the vehicle, and by contract its identifier (eMAID), empty for ``eim``."""

    vehicle: str
    way: Literal["eim", "pnc"]
    contract: str = ""


@dataclass(frozen=True)
class Bounds:
    """What a dispatcher of the dynamic control mode may choose from; powers in W at the connector.

    ``limits`` are those of both ends together; ``energy_wh`` is what the vehicle asks for, negative when it
    wants to give.
    """

    limits: PowerLimits
    energy_wh: float


async def grant(who: Identification) -> Grant:
    """Authorise everybody."""
    return "granted"


def follow_request(bounds: Bounds) -> float:
    """Return the power of the dynamic mode, export positive: all that is possible, as the vehicle asks."""
    if bounds.energy_wh < 0:
        return bounds.limits.export_w
    return -bounds.limits.charge_w if bounds.energy_wh > 0 else 0.0


@dataclass
class Offer:
    """What a charger offers.

    Parameters
    ----------
    services
        Energy services; a protocol serves those that it has.
    control
        Control modes of -20, the preferred one first.
    authorisation
        ``pnc`` needs roots.
    authorise
        Asked with each AuthorizationReq until it grants or refuses.
    roots
        Where ``contract.root.pem`` and ``oem-provisioning.root.pem`` lie; by default beside the charger's own
        certificates.
    revocations
        File with lists of revoked certificates (PEM).
    issuer
        Makes contract certificates for vehicles that ask for one (-20).
    dispatch
        Decides on the power in the dynamic control mode.
    ready
        Whether a schedule can be offered yet; asked with each ScheduleExchangeReq (-20) or
        ChargeParameterDiscoveryReq (DIN, -2).
    notice
        What the charger asks of the vehicle in the next answer of the loop.
    confirm_metering
        Ask for a signed confirmation of the meter's reading, once a session (Plug and Charge).
    paused
        Store of paused sessions; share one between connections.
    random, moment
        Source of octets for identifiers and challenges, and time at which certificates must hold (now).
    """

    evse_id: str = "DE*V2G*E00001*1"
    services: tuple[Service, ...] = ("dc_bpt", "dc", "ac_bpt", "ac")
    control: tuple[Literal["scheduled", "dynamic"], ...] = ("scheduled", "dynamic")
    authorisation: tuple[Literal["eim", "pnc"], ...] = ("eim",)
    authorise: Callable[[Identification], Awaitable[Grant]] = grant
    roots: PkiFiles | None = None
    revocations: Path | None = None
    issuer: ContractIssuer | None = None
    dispatch: Callable[[Bounds], float] = follow_request
    ready: Callable[[], bool] = lambda: True
    notice: Callable[[], Notice] = lambda: ""
    meter_id: str = "V2GLAB0001"
    standby: bool = True
    renegotiable: bool = True
    confirm_metering: bool = False
    paused: PausedSessions = field(default_factory=PausedSessions)
    random: Callable[[int], bytes] = os.urandom
    moment: Callable[[], datetime] | None = None

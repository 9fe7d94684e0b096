"""The vehicle's driver of a protocol: what each of them can do, whatever its messages are called."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from v2glab.links.sessions._ask import Asker
from v2glab.links.sessions._plant import VehiclePlant

if TYPE_CHECKING:
    from v2glab.links.pki import PkiFiles

Service = Literal["dc", "dc_bpt", "ac", "ac_bpt"]
Notice = Literal["", "stop", "renegotiate", "pause"]


@dataclass(frozen=True)
class Wishes:
    """What the vehicle wants of a session.

    Parameters
    ----------
    service
        Energy service; ``_bpt`` is bidirectional and exists in -20 only.
    control
        ``scheduled``: the vehicle decides within the charger's limits; ``dynamic``: the charger decides.
    authorisation
        ``eim``: at the charger; ``pnc``: by contract certificate.
    evcc_id
        Identifier of the vehicle.
    contract
        Where contract chain and key lie, for ``pnc``.
    install_contract
        Ask for a contract certificate first (-20).
    """

    service: Service = "dc_bpt"
    control: Literal["scheduled", "dynamic"] = "scheduled"
    authorisation: Literal["eim", "pnc"] = "eim"
    evcc_id: str = "WMIV1234567890ABCDEX"
    contract: PkiFiles | None = None
    install_contract: bool = False


@dataclass(frozen=True)
class Wanted:
    """What the next loop message asks for: power at the grid, W, export positive."""

    power_w: float


@dataclass(frozen=True)
class LoopState:
    """What the charger said in the loop; power and current export positive.

    ``power_w`` is what the charger says flows; energies are its meter's, Wh, None where it showed none.
    ``notice`` is what the charger asks the vehicle to do.
    """

    voltage_v: float
    current_a: float
    power_w: float
    import_wh: float | None = None
    export_wh: float | None = None
    notice: Notice = ""
    limit_charge_w: float | None = None
    limit_export_w: float | None = None


@dataclass
class Progress:
    """Told of each phase as it begins; the default tells nobody."""

    tell: Callable[[str], None] = field(default=lambda phase: None)


@dataclass(frozen=True)
class DriverParts:
    """What a driver works with.

    Parameters
    ----------
    asker
        Agreed on the driver's protocol.
    sleep
        Waits a number of seconds: ``asyncio.sleep``, or the station's clock in lockstep.
    """

    asker: Asker
    plant: VehiclePlant
    wishes: Wishes
    sleep: Callable[[float], Awaitable[None]]
    progress: Progress = field(default_factory=Progress)


class VehicleDriver(ABC):
    """Carries a session through in one protocol. Every method may raise ``SessionFailure``."""

    def __init__(self, parts: DriverParts) -> None:
        self.asker, self.plant, self.wishes = parts.asker, parts.plant, parts.wishes
        self.sleep, self.progress = parts.sleep, parts.progress

    @abstractmethod
    async def set_up(self) -> None:
        """From SessionSetup to the grant of PowerDelivery; power may flow afterwards."""

    @abstractmethod
    async def cycle(self, wanted: Wanted) -> LoopState:
        """Exchange one pair of loop messages.

        Raises
        ------
        LimitError
            The power lies outside what both ends allow, or the service cannot export.
        """

    @abstractmethod
    async def renegotiate(self) -> None:
        """Agree on new schedules or services without leaving the session."""

    @abstractmethod
    async def stop(self, *, pause: bool = False) -> None:
        """End the flow of energy, test for welds, and end or pause the session."""

"""Batteries and chargers without a bench: one end of a session is in this process, the other is not."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from v2glab.links.sessions import ModelBattery, ModelCharger, VehicleReading

if TYPE_CHECKING:
    from collections.abc import Callable

    from v2glab.links.sessions import Session


@dataclass
class FarBattery(ModelBattery):
    """A vehicle's battery whose current flows as the charger tells it."""

    session: Session | None = None
    clock: Callable[[], float] = time.monotonic
    _then: float = field(default=-1.0)

    async def read(self) -> VehicleReading:
        """Let the time since the last reading pass at the current that the charger told; measure."""
        now, state = self.clock(), self.session.state if self.session else None
        if self._then >= 0:
            self.take(now - self._then)
        self._then = now
        if state is None or not self.contactor_closed:
            self.current_a = 0.0
        elif math.isfinite(state.current_a):
            self.current_a = state.current_a
        elif math.isfinite(state.power_w):
            self.current_a = state.power_w / self.open_circuit_v
        return await super().read()


@dataclass
class FarVehicleCharger(ModelCharger):
    """A charger before a vehicle elsewhere, of whose battery it has a model."""

    async def connect(self) -> None:
        """Close the contactor; the vehicle closes its own."""
        await super().connect()
        await self.battery.close_contactor()

    async def disconnect(self) -> None:
        """Take the power away and open the contactor; the vehicle opens its own."""
        await super().disconnect()
        await self.battery.open_contactor()

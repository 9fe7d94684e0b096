"""The twin's plant as a charger of the vehicle link: what stands behind each message."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING

from v2glab.evidence import DeviceError, LimitError, V2GError
from v2glab.links.sessions import ChargerReading, PowerLimits
from v2glab.twin._physics import Fault, P
from v2glab.twin._plant_commands import COMMANDS
from v2glab.twin._settings import constants
from v2glab.twin._vehicle_synchronise import Synchroniser

if TYPE_CHECKING:
    from typing import Literal

    from v2glab.links.sessions import Identification
    from v2glab.twin._plant import Plant

#: The contactor touches after 20 ms; an auxiliary contact that has not followed after this never will.
_CLOSE_S, _OPEN_S = 0.03, 0.12
#: How long a request to close may wait for step: below what the standards let its answer take.
_PATIENCE_S, _LOOK_S = 1.2, 0.05
#: DC side: window of the output, and what it carries beyond the rated power at its lowest usual voltage.
_LOW_V, _HIGH_V, _USUAL_LOW_V = 150.0, 1000.0, 600.0
#: For so long the insulation is tested, with the inverter in step at its end (plant time).
_INSULATION_NS = 300_000_000


class Claim:
    """Which session has the charger; several listeners may serve one plant."""

    def __init__(self) -> None:
        self.owner: VehicleCharger | None = None


class VehicleCharger:
    """Implements ``ChargerPlant`` over a plant that others may command too.

    It acts only while a session that it has authorised lasts. In lockstep the plant waits for the station's
    clock, but for the time that a contactor takes to move.

    Parameters
    ----------
    claim
        Shared by all chargers over one plant.
    lockstep
        Whether time passes by the station's clock.
    """

    def __init__(self, plant: Plant, claim: Claim, *, lockstep: bool) -> None:
        self._plant, self._claim, self._lockstep = plant, claim, lockstep
        self._step = Synchroniser(plant)
        self._output = False
        self._tested_ns: int | None = None
        numbers = constants(plant.settings)
        self._losses = numbers[P.LOSS_FIXED_W], numbers[P.LOSS_PER_A], numbers[P.LOSS_PER_A2]
        self._rated_w = min(plant.settings.rated_power_w, COMMANDS["power_setpoint"][1])

    @property
    def limits(self) -> PowerLimits:
        """Ratings of the plant; no export without leave of the grid's operator, or below the SoC limit."""
        state = self._plant.state
        may_export = state.export_enable and state.discharge_authorised
        may_export = may_export and state.soc_percent > state.soc_discharge_limit_percent
        most_a = self._rated_w / _USUAL_LOW_V
        # Charging, the losses of the inverter come on top of what the connector takes.
        charge_w = math.floor((self._rated_w - self._loss_w(self._rated_w)) / 100) * 100.0
        export_w, export_a = (self._rated_w, most_a) if may_export else (0.0, 0.0)
        phase_v = self._plant.settings.nominal_voltage_v
        return PowerLimits(charge_w, export_w, most_a, export_a, _LOW_V, _HIGH_V, phase_v=phase_v)

    async def authorise(self, who: Identification) -> Literal["granted", "ongoing", "refused"]:
        """Let a vehicle in when the inverter is in step; another vehicle or master keeps it out."""
        state = self._plant.state
        if self._claim.owner not in {None, self} or (self._claim.owner is None and state.contactor_commanded):
            return "refused"
        self._claim.owner = self
        if self._fault():
            return "granted"  # the next messages say what is wrong
        return "granted" if await self._look() else "ongoing"

    async def insulation(self, voltage_v: float) -> Literal["ongoing", "valid"]:
        """Test the insulation while the inverter stays in step; the twin's is sound.

        Raises
        ------
        DeviceError
            The charger has a fault.
        """
        self._require_sound()
        now_ns = self._plant.time_ns
        self._tested_ns = now_ns if self._tested_ns is None else self._tested_ns
        in_step = await self._look()
        return "valid" if in_step and now_ns - self._tested_ns >= _INSULATION_NS else "ongoing"

    async def pre_charge(self, voltage_v: float, current_a: float) -> None:
        """Put the bus, which the battery holds, on the output."""
        _check("voltage_v", voltage_v, 0.0, _HIGH_V)
        self._require_sound()
        await self._look()
        self._output = True

    async def connect(self) -> None:
        """Close the contactor, in step with the grid and never otherwise.

        Raises
        ------
        DeviceError
            A fault, no step in time, or the auxiliary contact did not follow.
        """
        self._require_sound()
        waited_s = 0.0
        while not await self._look():
            if waited_s >= _PATIENCE_S:
                raise DeviceError(
                    f"not in step after {waited_s:g} s: {'; '.join(self._step.obstacles)}",
                    "differences within the limits of synchronisation",
                    "look at the grid's frequency and voltage",
                )
            await self._pass(_LOOK_S)
            waited_s += _LOOK_S
        self._plant.command("contactor_command", 1)
        await self._pass(_CLOSE_S)
        while not self._plant.state.contactor_closed and not self._lockstep and waited_s < _PATIENCE_S:
            await self._pass(_LOOK_S)
            waited_s += _LOOK_S
        self._require_sound()
        if not self._plant.state.contactor_closed:
            raise DeviceError("the auxiliary contact stays open", "a closed contactor", "look at its coil")

    async def disconnect(self) -> None:
        """Take the power away and open the contactor; the inverter stays in step behind it.

        Raises
        ------
        DeviceError
            The auxiliary contact did not follow.
        """
        self._output, self._tested_ns = False, None
        self._plant.command("power_setpoint", 0.0)
        self._plant.command("contactor_command", 0)
        if self._plant.state.contactor_closed:
            await self._pass(_OPEN_S)
        if self._plant.state.contactor_closed:
            raise DeviceError(
                "the auxiliary contact stays closed", "an open contactor", "open it by hand and lock it out"
            )

    async def set_power(self, power_w: float) -> None:
        """Set the power at the grid, W, export positive."""
        limits = self.limits
        _check("power_w", power_w, -self._rated_w, limits.export_w)
        self._command_power(power_w)

    async def set_dc(self, voltage_v: float, current_a: float) -> None:
        """Set the DC current, A, export positive; the power at the grid follows from the losses."""
        limits = self.limits
        _check("current_a", current_a, -limits.charge_a, limits.export_a)
        dc_w = self._plant.state.dc_voltage_v * current_a
        ac_w = dc_w
        for _ in range(4):  # the loss varies slowly with the power: each round gains two digits
            ac_w = dc_w - self._loss_w(ac_w)
        if current_a == 0 or ac_w * current_a < 0:  # a current that the inverter's own losses use up
            ac_w = 0.0
        _check("power_w", ac_w, -self._rated_w, self._rated_w)
        self._command_power(ac_w)

    async def read(self) -> ChargerReading:
        """Measure; the energies are those of the meter on the AC side."""
        state = self._plant.state
        return ChargerReading(
            state.dc_voltage_v if self._output else 0.0,
            state.dc_current_a,
            state.power_w,
            state.reactive_power_var,
            state.energy_import_wh,
            state.energy_export_wh,
            state.contactor_closed,
            state.grid_frequency_hz,
            self._fault(),
        )

    async def make_safe(self) -> None:
        """Export off, contactor open, inverter off; a session that was never let in changes nothing."""
        if self._claim.owner is not self:
            return
        self._claim.owner, self._output, self._tested_ns = None, False, None
        self._step.end()
        for name in ("power_setpoint", "contactor_command", "inverter_run"):
            with contextlib.suppress(V2GError):
                self._plant.command(name, 0)

    def _command_power(self, power_w: float) -> None:
        self._require_sound()
        self._plant.command("power_setpoint", power_w)

    def _require_sound(self) -> None:
        if fault := self._fault():
            code = self._plant.state.fault_code
            raise DeviceError(f"fault {code} ({fault})", "a charger without fault", "read its fault memory")

    def _fault(self) -> str:
        code = self._plant.state.fault_code
        if code == Fault.CONTACTOR_WELD:
            return "contactor"
        return "emergency" if code else ""

    async def _look(self) -> bool:
        # Fitting takes milliseconds: the other servers must not wait for it.
        return await asyncio.get_running_loop().run_in_executor(None, self._step.look)

    def _loss_w(self, power_w: float) -> float:
        fixed, per_a, per_a2 = self._losses
        amps = abs(power_w) / (3 * self._plant.settings.nominal_voltage_v)
        return float(fixed + per_a * amps + per_a2 * amps * amps)

    async def _pass(self, duration_s: float) -> None:
        if self._lockstep:
            await asyncio.get_running_loop().run_in_executor(None, self._plant.advance, duration_s)
        else:
            await asyncio.sleep(duration_s)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise LimitError(f"{name} = {value:g}", f"{low:g} to {high:g}", "mend the set-point")

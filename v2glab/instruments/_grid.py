"""Grid simulators: play a list of steps of voltage, frequency and phase angles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from v2glab.evidence import InputError, LimitError
from v2glab.instruments._scpi import ScpiInstrument

#: The list memory of the RS and MX series.
_MAX_STEPS = 100
Three = tuple[float, float, float]
#: Angle of each phase in a symmetrical system, degrees, leading positive: a, b, c.
_SYMMETRICAL = (0.0, 240.0, 120.0)
#: Commands without which all phases are alike.
_SINGLY = ("uncouple", "select_phase", "phase", "phase_list_mode")


@dataclass(frozen=True, slots=True)
class GridStep:
    """One step of a grid: what the source gives for how long.

    Parameters
    ----------
    duration_s
        Dwell time, > 0.
    voltage_v
        RMS, line to neutral, all phases.
    frequency_hz
        Frequency of the fundamental.
    voltages_v
        RMS of each phase where these differ; it takes the place of ``voltage_v``.
    angles_deg
        How far each phase leads its place in the symmetrical system.
    voltage_slew_v_s, frequency_slew_hz_s
        How fast the step is approached from the one before, > 0; ``None``: at once.
    """

    duration_s: float
    voltage_v: float
    frequency_hz: float
    voltages_v: Three | None = None
    angles_deg: Three = (0.0, 0.0, 0.0)
    voltage_slew_v_s: float | None = None
    frequency_slew_hz_s: float | None = None

    @property
    def phases_v(self) -> Three:
        """RMS of each phase."""
        return self.voltages_v or (self.voltage_v,) * 3

    @property
    def symmetrical(self) -> bool:
        """Whether all phases are alike and at their places."""
        return self.voltages_v is None and not any(self.angles_deg)


class ScpiGridSimulator(ScpiInstrument):
    """A grid simulator in the manner of the Ametek RS and MX."""

    _singly = False

    @property
    def sets_phases(self) -> bool:
        """Whether each phase can have a voltage and an angle of its own."""
        return all(name in self.profile.commands for name in _SINGLY)

    def play(self, steps: Sequence[GridStep]) -> None:
        """Load a list of steps and start it; returns when it runs. After the last step the source goes back
        to the voltage and frequency it had before.

        Parameters
        ----------
        steps
            1 to 100 steps, played in order.

        Raises
        ------
        InputError
            There are no steps, or too many.
        LimitError
            A value lies outside the limits of the profile; nothing was sent.
        DeviceError
            The source does not answer, or has noted an error; it was told to stop.
        """
        if not 1 <= len(steps) <= _MAX_STEPS:
            raise InputError(f"{len(steps)} steps", f"1 … {_MAX_STEPS}", "split the profile")
        texts = self._program(steps)
        self._link.send(self._text("abort"))
        try:
            for text in texts:
                self._link.send(text)
                self._link.check_errors(text)
        except Exception:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop a list under way and go back to fixed voltage and frequency.

        Raises
        ------
        DeviceError
            The source does not answer, or has noted an error.
        """
        names = ["abort", "fixed_mode", "frequency_fixed_mode"]
        if self._singly:
            names += ["phase_fixed_mode", "couple"]
            self._singly = False
        for name in names:
            if name in self.profile.commands:
                self.command(name)

    def _program(self, steps: Sequence[GridStep]) -> list[str]:
        """Return all commands, checked, before the first is sent."""
        alike = all(step.symmetrical for step in steps)
        if not alike and not self.sets_phases:
            raise LimitError(
                f"phases that differ, with profile {self.profile.name}",
                f"commands {', '.join(_SINGLY)} in the profile",
                "use a simulator that sets each phase, and say so in its profile",
            )
        again = ("phase_fixed_mode", "couple") if alike and self._singly else ()
        ramps = any(step.voltage_slew_v_s or step.frequency_slew_hz_s for step in steps)
        texts = [self._text(name) for name in (*again, "count")]
        texts += self._column("dwell", "dwell_s", [s.duration_s for s in steps])
        if alike:
            texts += self._voltages(steps, [step.phases_v[0] for step in steps])
        texts += self._column("frequency", "frequency_hz", [s.frequency_hz for s in steps])
        slews = [_slew(step.frequency_slew_hz_s) for step in steps]
        texts += self._column("frequency_slew", "slew", slews)
        texts += self._column("function", "shape", ["SINE"] * len(steps))
        texts += self._column("repeat", "repeat", [0.0] * len(steps))
        if not alike:
            texts += self._phases(steps)
        self._singly = not alike
        tail = ["list_mode", "frequency_list_mode", *(["slew_list_mode"] if ramps else [])]
        tail += ["transient", "synchronise", "initiate"]
        return texts + [self._text(name) for name in tail if name in self.profile.commands]

    def _phases(self, steps: Sequence[GridStep]) -> list[str]:
        """Return the lists of each phase, and all phases coupled again."""
        texts = [self._text("uncouple")]
        for phase, place_deg in enumerate(_SYMMETRICAL):
            texts.append(self._text("select_phase", phase=f"{phase + 1}"))
            texts += self._voltages(steps, [step.phases_v[phase] for step in steps])
            angles = [(place_deg + step.angles_deg[phase]) % 360.0 for step in steps]
            texts += self._column("phase", "phase_deg", angles)
            texts += [self._text(name) for name in ("list_mode", "phase_list_mode")]
        return [*texts, *([self._text("couple")] if "couple" in self.profile.commands else [])]

    def _voltages(self, steps: Sequence[GridStep], volts: Sequence[float]) -> list[str]:
        slews = [_slew(step.voltage_slew_v_s) for step in steps]
        return [*self._column("voltage", "voltage_v", volts), *self._column("voltage_slew", "slew", slews)]

    def _column(self, name: str, key: str, values: Sequence[float | str]) -> list[str]:
        if name not in self.profile.commands:
            return []
        return [self._text(name, **{key: ",".join(self._checked(key, value) for value in values)})]


def _slew(per_second: float | None) -> float | str:
    if per_second is None:
        return "MAX"
    if not (math.isfinite(per_second) and per_second > 0):
        raise LimitError(f"slew {per_second:g}/s", "a finite number above 0", "leave it out for a jump")
    return per_second

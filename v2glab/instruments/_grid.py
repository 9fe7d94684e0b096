"""Grid simulators: play a list of steps of voltage and frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from v2glab.evidence import InputError
from v2glab.instruments._scpi import ScpiInstrument

#: The list memory of the RS and MX series.
_MAX_STEPS = 100


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
    """

    duration_s: float
    voltage_v: float
    frequency_hz: float


class ScpiGridSimulator(ScpiInstrument):
    """A grid simulator in the manner of the Ametek RS and MX."""

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
        for name in ("abort", "fixed_mode", "frequency_fixed_mode"):
            if name in self.profile.commands:
                self.command(name)

    def _program(self, steps: Sequence[GridStep]) -> list[str]:
        """Return all commands, checked, before the first is sent."""
        columns: dict[str, tuple[str, Sequence[float | str]]] = {
            "dwell": ("dwell_s", [step.duration_s for step in steps]),
            "voltage": ("voltage_v", [step.voltage_v for step in steps]),
            "voltage_slew": ("slew", ["MAX"] * len(steps)),
            "frequency": ("frequency_hz", [step.frequency_hz for step in steps]),
            "frequency_slew": ("slew", ["MAX"] * len(steps)),
            "function": ("shape", ["SINE"] * len(steps)),
            "repeat": ("repeat", [0.0] * len(steps)),
        }
        texts = [self._text("count")]
        for name, (key, values) in columns.items():
            if name in self.profile.commands:
                joined = ",".join(self._checked(key, value) for value in values)
                texts.append(self._text(name, **{key: joined}))
        tail = ("list_mode", "frequency_list_mode", "transient", "synchronise", "initiate")
        return texts + [self._text(name) for name in tail if name in self.profile.commands]

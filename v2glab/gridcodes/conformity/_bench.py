"""What a test asks of whatever it runs on: a model in memory, the twin, or a laboratory."""

from __future__ import annotations

from typing import Protocol

from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus
from v2glab.gridcodes.der import DerSettings

#: What a test may need of a bench and its device. ``phases``: phases of their own voltage; ``angles``: phase
#: jumps; ``settings``: any setting can be written; ``cold``: a device out of service; ``waveforms``: sampled
#: voltages and currents; ``synchronisation``: an open contactor; ``island``: an RLC load; ``reports``: what
#: the device says of itself; ``battery``: a storage; ``commands``: limits and permissions under way. Names of
#: functions, such as ``volt_var``, say that the device has them.
ABILITIES = (
    "phases",
    "angles",
    "settings",
    "cold",
    "waveforms",
    "synchronisation",
    "island",
    "reports",
    "battery",
    "commands",
    "trips",
    "ride_through",
    "droop",
    "volt_var",
    "volt_watt",
    "watt_var",
    "constant_pf",
    "constant_q",
    "enter_service",
    "p_limit",
)


class Bench(Protocol):
    """A device under test with a source that plays stimuli and an instrument that watches."""

    @property
    def name(self) -> str:
        """How reports call it."""

    def lacks(self, need: str) -> str:
        """Return why it cannot offer one of :data:`ABILITIES`; empty when it can."""

    def configure(self, settings: DerSettings) -> str:
        """Write settings to the device; return what it would not take, empty when it took all."""

    def run(self, stimulus: Stimulus) -> Record:
        """Play a stimulus and return what was measured.

        A device that falls silent gives a record with a doubt, never an exception.
        """

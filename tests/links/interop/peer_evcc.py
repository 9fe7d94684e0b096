"""The reference stack's vehicle, run by the interoperability test in an environment and namespace of its own.

Commands come on standard input, one a line: ``plain``, or ``tls12`` or ``tls13`` with the folder of the
certificates, and then the name of the session.
"""

import asyncio
import contextlib
import sys

from iso15118.evcc import Config, EVCCHandler
from iso15118.evcc.controller.simulator import SimEVController
from iso15118.evcc.evcc_config import EVCCConfig
from iso15118.shared.exificient_exi_codec import ExificientEXICodec
from iso15118.shared.messages.iso15118_20.common_types import RationalNumber
from iso15118.shared.messages.iso15118_20.dc import ScheduledDCChargeLoopReqParams
from iso15118.shared.notifications import StopNotification
from peer_common import tell, use_tls

VOLTAGE_V = 400
#: Configuration by the session's name; three messages in the loop each.
SESSIONS = {
    "din": {"supportedProtocols": ["DIN_SPEC_70121"], "energyTransferMode": "DC_extended"},
    "iso2-pnc": {"supportedProtocols": ["ISO_15118_2"], "energyTransferMode": "DC_extended"},
    "iso20-bpt": {"supportedProtocols": ["ISO_15118_20_DC"], "supportedEnergyServices": ["DC_BPT"]},
}


class Battery(SimEVController):
    """A vehicle with a battery of 400 V; in part 20 it charges and discharges in turn.

    The reference's own asks for 20 kV before part 20's loop, and never discharges.
    """

    _current = -1000

    def __init__(self, settings):
        super().__init__(settings)
        self.dc_ev_charge_params.dc_target_voltage.value = VOLTAGE_V // 10

    async def get_present_voltage(self):
        return RationalNumber(exponent=0, value=VOLTAGE_V)

    async def get_target_voltage(self):
        return RationalNumber(exponent=0, value=VOLTAGE_V)

    async def get_scheduled_dc_charge_loop_params(self):
        self._current = -self._current
        return ScheduledDCChargeLoopReqParams(
            ev_target_current=RationalNumber(exponent=-2, value=self._current),
            ev_target_voltage=RationalNumber(exponent=0, value=VOLTAGE_V),
        )


class Ended(Exception):  # noqa: N818 -- an outcome
    """The session is over; the reference's handler would look for another charger."""


class Vehicle(EVCCHandler):
    """One session, not the next."""

    _begun = False
    stopped = None

    async def get_from_rcv_queue(self, queue):
        put = queue.put_nowait

        def note(item):
            if isinstance(item, StopNotification):
                self.stopped = item
            put(item)

        queue.put_nowait = note
        await super().get_from_rcv_queue(queue)

    async def restart_sdp(self, new_sdp_cycle):
        if new_sdp_cycle and self._begun:
            raise Ended
        self._begun = True
        await super().restart_sdp(new_sdp_cycle)


async def drive(codec, name, tls):
    """Carry one session through; return how it ended."""
    settings = EVCCConfig(**SESSIONS[name], useTls=tls, enforceTls=tls, chargeLoopCycle=3)
    settings.load_raw_values()
    controller = Battery(settings)
    vehicle = Vehicle(evcc_config=settings, iface="lo", exi_codec=codec, ev_controller=controller)
    with contextlib.suppress(Ended, asyncio.TimeoutError):
        await asyncio.wait_for(vehicle.start(), 150)
    stopped = vehicle.stopped
    return {"good": bool(stopped and stopped.successful), "reason": stopped.reason if stopped else "no end"}


async def main():
    config = Config()
    config.load_envs()
    codec = ExificientEXICodec()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    tell(event="ready")
    while line := await reader.readline():
        words = line.decode().split()
        use_tls(words)
        tell(event="ended", **await drive(codec, words[-1], words[0] != "plain"))


asyncio.run(main())

"""The reference stack's charger, run by the interoperability test in an environment of its own.

Its simulated charger has limits that contradict any battery (40 V at most) and constants for measurements:
this one has those of a real charger, and an output that follows what the vehicle asks for. Commands come on
standard input, one a line: ``plain``, or ``tls12`` or ``tls13`` with the folder of the certificates.
"""

import asyncio
import sys

from iso15118.secc import SECCHandler
from iso15118.secc.controller.simulator import SimEVSEController
from iso15118.secc.secc_settings import Config
from iso15118.shared.exificient_exi_codec import ExificientEXICodec
from iso15118.shared.messages.datatypes import (
    DCEVSEChargeParameter,
    PVEVSEMaxCurrentLimit,
    PVEVSEMaxPowerLimit,
    PVEVSEMaxVoltageLimit,
    PVEVSEMinCurrentLimit,
    PVEVSEMinVoltageLimit,
    PVEVSEPeakCurrentRipple,
)
from iso15118.shared.messages.enums import ServiceV20
from iso15118.shared.messages.iso15118_20.common_types import RationalNumber
from iso15118.shared.messages.iso15118_20.dc import (
    BPTDCChargeParameterDiscoveryResParams,
    DCChargeParameterDiscoveryResParams,
)
from peer_common import tell, use_tls


class Charger(SimEVSEController):
    """A charger whose output follows the vehicle."""

    def __init__(self):
        super().__init__()
        self.commands = []
        self.evse_data_context.present_voltage = self.evse_data_context.present_current = 0

    async def get_dc_charge_parameters(self):
        return DCEVSEChargeParameter(
            dc_evse_status=await self.get_dc_evse_status(),
            evse_maximum_power_limit=PVEVSEMaxPowerLimit(multiplier=1, value=2200, unit="W"),
            evse_maximum_current_limit=PVEVSEMaxCurrentLimit(multiplier=0, value=60, unit="A"),
            evse_maximum_voltage_limit=PVEVSEMaxVoltageLimit(multiplier=0, value=500, unit="V"),
            evse_minimum_current_limit=PVEVSEMinCurrentLimit(multiplier=0, value=0, unit="A"),
            evse_minimum_voltage_limit=PVEVSEMinVoltageLimit(multiplier=0, value=150, unit="V"),
            evse_peak_current_ripple=PVEVSEPeakCurrentRipple(multiplier=0, value=1, unit="A"),
        )

    async def get_dc_charge_params_v20(self, energy_service):
        number = RationalNumber.get_rational_repr
        charge = DCChargeParameterDiscoveryResParams(
            evse_max_charge_power=number(22000), evse_min_charge_power=number(0),
            evse_max_charge_current=number(60), evse_min_charge_current=number(0),
            evse_max_voltage=number(500), evse_min_voltage=number(150),
        )  # fmt: skip
        if energy_service != ServiceV20.DC_BPT:
            return charge
        return BPTDCChargeParameterDiscoveryResParams(
            **charge.dict(),
            evse_max_discharge_power=number(22000), evse_min_discharge_power=number(0),
            evse_max_discharge_current=number(60), evse_min_discharge_current=number(0),
        )  # fmt: skip

    async def send_charging_command(self, voltage, current, is_precharge=False, is_session_bpt=False):
        self.commands.append((voltage, current))
        # Part 20's loop passes is_session_bpt in the place of is_precharge: take the first command for that.
        if not self.evse_data_context.present_voltage:
            self.evse_data_context.present_voltage = voltage
        self.evse_data_context.present_current = current if len(self.commands) > 1 else 0

    async def stop_charger(self):
        self.evse_data_context.present_voltage = self.evse_data_context.present_current = 0
        await super().stop_charger()

    async def session_ended(self, current_state, reason):
        tell(event="ended", state=current_state, reason=reason, commands=self.commands)
        self.commands = []


async def obey(reader):
    while line := await reader.readline():
        words = line.decode().split()
        use_tls(words)
        tell(event="set", mode=words[0])


async def main():
    config = Config()
    config.load_envs()
    codec = ExificientEXICodec()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    handler = SECCHandler(exi_codec=codec, evse_controller=Charger(), config=config)
    commands = asyncio.create_task(obey(reader))
    serving = asyncio.create_task(handler.start(config.iface))
    tell(event="ready")
    done, _ = await asyncio.wait([commands, serving], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


asyncio.run(main())

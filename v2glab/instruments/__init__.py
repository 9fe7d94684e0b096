"""Anything that measures or actuates: profiles, certificates and the protocols behind them."""

from v2glab.instruments._certificate import Accuracy, Certificate, load_certificate
from v2glab.instruments._grid import GridStep
from v2glab.instruments._instrument import BaseInstrument, Instrument
from v2glab.instruments._open import GridSimulator, Oscilloscope, open_instrument
from v2glab.instruments._profile import (
    HwmonProfile,
    HwmonSensor,
    ModbusProfile,
    Profile,
    ScpiPoint,
    ScpiProfile,
    SunSpecProfile,
    list_profiles,
    load_profile,
)
from v2glab.instruments._registers import Point, Register, decode_registers, encode_registers

__all__ = [
    "Accuracy",
    "BaseInstrument",
    "Certificate",
    "GridSimulator",
    "GridStep",
    "HwmonProfile",
    "HwmonSensor",
    "Instrument",
    "ModbusProfile",
    "Oscilloscope",
    "Point",
    "Profile",
    "Register",
    "ScpiPoint",
    "ScpiProfile",
    "SunSpecProfile",
    "decode_registers",
    "encode_registers",
    "list_profiles",
    "load_certificate",
    "load_profile",
    "open_instrument",
]

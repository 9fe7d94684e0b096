"""Anything that measures or actuates: profiles, certificates and the protocols behind them."""

from v2glab.instruments._certificate import Accuracy, Certificate, load_certificate
from v2glab.instruments._profile import (
    HwmonProfile,
    ModbusProfile,
    Profile,
    ScpiProfile,
    SunSpecProfile,
    list_profiles,
    load_profile,
)
from v2glab.instruments._registers import Register, decode_registers, encode_registers

__all__ = [
    "Accuracy",
    "Certificate",
    "HwmonProfile",
    "ModbusProfile",
    "Profile",
    "Register",
    "ScpiProfile",
    "SunSpecProfile",
    "decode_registers",
    "encode_registers",
    "list_profiles",
    "load_certificate",
    "load_profile",
]

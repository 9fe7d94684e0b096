"""A healthy station as observations, and one change a fault; nothing here comes from the rules."""

from dataclasses import replace

from v2glab.diagnosis import CertificateSeen, LogReport, Observations, read_log
from v2glab.evidence import Quantity

CODES = {
    "contactor_weld": "F-092",
    "frequency_drift": "OCPP-01",
    "expired_certificate": "OCPP-Auth-401",
    "hot_heatsink": "THERMAL-DERATING",
    "export_bit_off": "ZERO-EXPORT-0x4002",
    "low_soc": "ZERO-EXPORT-SOC",
    "worn_connector": "PP-ERROR",
}
SECOND = 1_000_000_000
CONNECTED = (
    "2026-01-01T00:00:01.000000Z INFO gateway connected station=S tls=TLSv1.3 cipher=X\n"
    '2026-01-01T00:00:02.000000Z WARNING charger gateway_lost url="wss://127.0.0.1:1/S"\n'
)
HEALTHY = {
    "contactor_command": (0, "1"),
    "contactor_feedback": (0, "1"),
    "inverter_run": (0, "1"),
    "fault_code": (0, "1"),
    "export_enable": (1, "1"),
    "soc": (70, "%"),
    "soc_discharge_limit": (20, "%"),
    "derating": (100, "%"),
    "heatsink_temperature": (25, "degC"),
    "max_temperature": (85, "degC"),
    "pp_resistance": (100, "ohm"),
    "cp_voltage": (9, "V"),
}


def reading(instrument, name, value, unit, u=None, time_ns=0):
    reason = "" if u is not None else "no certificate"
    return Quantity(name, float(value), unit, u, reason, time_ns=time_ns, instrument=instrument)


def charger(time_ns=0, **changes):
    values = {name: (changes.get(name, value), unit) for name, (value, unit) in HEALTHY.items()}
    return [reading("charger", n, v, unit, time_ns=time_ns) for n, (v, unit) in values.items()]


def frequencies(*hertz, u=0.001):
    return [
        reading("scope", "grid_frequency", f, "Hz", u, round(0.2 * SECOND * k)) for k, f in enumerate(hertz)
    ]


def certificates(*problems):
    return (
        CertificateSeen("root", "CN=r", "2036-01-01 00:00 UTC"),
        CertificateSeen("station", "CN=S", "2026-01-01 00:00 UTC", problems),
    )


def observe(*faults, log=CONNECTED, **changes):
    """Return the observations of a station with these faults."""
    values, hertz, sink, problems = dict(changes), (60.02, 60.02, 60.02), 25.0, ()
    if "contactor_weld" in faults:
        values |= {"contactor_feedback": 1, "fault_code": 92}
    if "frequency_drift" in faults:
        hertz = (60.02, 60.12, 60.27)
    if "expired_certificate" in faults:
        problems = ("expired on 2025-12-31 00:00 UTC",)
        log = '2026-01-01T00:00:01Z ERROR gateway tls_rejected reason="certificate has expired"\n'
    if "hot_heatsink" in faults:
        sink = 79.6
        values |= {"derating": 60, "heatsink_temperature": 79.6}
    if "export_bit_off" in faults:
        values["export_enable"] = 0
    if "low_soc" in faults:
        values["soc"] = 12
    if "worn_connector" in faults:
        values["pp_resistance"] = 165
    return Observations(
        60.0,
        277.0,
        22_000.0,
        readings=(
            *charger(0, **values),
            *frequencies(*hertz),
            reading("scope", "inverter_side_voltage", 277 if "contactor_weld" in faults else 0.5, "V", 1.0),
            reading("heatsink", "heatsink", sink, "degC", 0.1),
            reading("heatsink", "ambient", 25, "degC", 0.1),
            reading("meter", "power", 0, "W", 5.0),
            *charger(2 * SECOND, **values),
        ),
        certificates=certificates(*problems),
        logs=(read_log("all.log", log),),
    )


def without(observations, *names):
    """Return the observations less the readings of these points or instruments."""
    kept = tuple(q for q in observations.readings if q.name not in names and q.instrument not in names)
    return replace(observations, readings=kept)


def with_log(observations, *lines):
    return replace(observations, logs=(*observations.logs, log_of(*lines)))


def log_of(*lines) -> LogReport:
    return read_log("more.log", "\n".join(lines))

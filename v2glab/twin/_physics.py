"""Names of the numbers that the plant's kernel works on.

The kernel takes plain arrays, so that the same function runs compiled and, under ``NUMBA_DISABLE_JIT=1``, as
plain Python. The enumerations below name their places; a member is its index.
"""

from enum import IntEnum, auto


class _Index(IntEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:
        return count


class X(_Index):
    """State of the plant."""

    TIME_S = auto()
    GRID_ANGLE = auto()
    GRID_HZ = auto()
    GRID_A_PU = auto()
    GRID_B_PU = auto()
    GRID_C_PU = auto()
    MEASURED_HZ = auto()
    INVERTER_ANGLE = auto()
    DEVICE_HZ = auto()
    CURRENT_PEAK = auto()
    CURRENT_Q_PEAK = auto()
    AUTOMATIC = auto()
    SERVING = auto()
    RELEASED = auto()
    INRUSH_PEAK = auto()
    INRUSH_ANGLE = auto()
    CONTACTOR_CLOSED = auto()
    CONTACTOR_TIMER_S = auto()
    FAULT = auto()
    SOC = auto()
    RC_VOLTAGE = auto()
    DC_VOLTAGE = auto()
    DC_CURRENT = auto()
    JUNCTION_C = auto()
    SINK_C = auto()
    CONNECTOR_C = auto()
    DERATING_PU = auto()
    POWER_W = auto()
    REACTIVE_VAR = auto()
    ENERGY_EXPORT_WH = auto()
    ENERGY_IMPORT_WH = auto()
    ENERGY_BATTERY_WH = auto()
    ENERGY_LOSS_WH = auto()
    SQUARES_A = auto()
    SQUARES_B = auto()
    SQUARES_C = auto()
    RMS_A = auto()
    RMS_B = auto()
    RMS_C = auto()
    CURRENT_RMS = auto()
    WRITTEN = auto()


class C(_Index):
    """Commands and surroundings; constant during one call of the kernel.

    Grid voltages and frequency are those at ``RAMP_FROM_S`` (kernel time) and run evenly from there.
    ``TURN_A_RAD`` and so on shift each phase against the undisturbed grid, ``TURN_RAD`` is the shift of their
    positive sequence, and ``GRID_SHARE`` scales the grid's impedance: a source that senses its voltage at the
    charger's terminals has next to none.
    """

    CONTACTOR = auto()
    RUN = auto()
    POWER_W = auto()
    TRIM_HZ = auto()
    INVERTER_V = auto()
    EXPORT_ENABLE = auto()
    SOC_LIMIT = auto()
    MAX_C = auto()
    AMBIENT_C = auto()
    WELDED = auto()
    CONTACT_OHM = auto()
    SINK_K_PER_W = auto()
    SINK_HEAT_W = auto()
    DRIFT_HZ = auto()
    GRID_A_PU = auto()
    GRID_B_PU = auto()
    GRID_C_PU = auto()
    GRID_HZ = auto()
    RAMP_FROM_S = auto()
    RAMP_A_PU_S = auto()
    RAMP_B_PU_S = auto()
    RAMP_C_PU_S = auto()
    RAMP_HZ_S = auto()
    TURN_A_RAD = auto()
    TURN_B_RAD = auto()
    TURN_C_RAD = auto()
    TURN_RAD = auto()
    GRID_SHARE = auto()
    AUTOMATIC = auto()
    AUTHORISED = auto()


class P(_Index):
    """Constants of the plant."""

    STEP_S = auto()
    NOMINAL_V = auto()
    NOMINAL_HZ = auto()
    RATED_W = auto()
    RATED_A = auto()
    GRID_OHM = auto()
    GRID_HENRY = auto()
    HARMONIC_5 = auto()
    HARMONIC_7 = auto()
    CURRENT_LAG_S = auto()
    PLL_S = auto()
    METER_S = auto()
    CLOSE_S = auto()
    OPEN_S = auto()
    SYNC_OHM = auto()
    INRUSH_TAU_S = auto()
    MAX_PHASE_RAD = auto()
    BATTERY_WH = auto()
    BATTERY_OHM = auto()
    RC_OHM = auto()
    RC_TAU_S = auto()
    EMPTY_V = auto()
    FULL_V = auto()
    BUS_FARAD = auto()
    BUS_V = auto()
    BUS_GAIN = auto()
    LOSS_FIXED_W = auto()
    LOSS_PER_A = auto()
    LOSS_PER_A2 = auto()
    JUNCTION_J_K = auto()
    JUNCTION_K_W = auto()
    SINK_J_K = auto()
    CONNECTOR_J_K = auto()
    CONNECTOR_K_W = auto()
    FOLDBACK_START = auto()


class R(_Index):
    """Rows of the waveform ring."""

    GRID_A = auto()
    GRID_B = auto()
    GRID_C = auto()
    INVERTER_A = auto()
    INVERTER_B = auto()
    INVERTER_C = auto()
    CURRENT_A = auto()
    CURRENT_B = auto()
    CURRENT_C = auto()


class Fault(IntEnum):
    """Fault codes of the charger, as in its register map."""

    NONE = 0
    OUT_OF_PHASE = 25
    VOLTAGE_TRIP = 27
    PP_ERROR = 63
    VECTOR_SHIFT = 78
    FREQUENCY_TRIP = 81
    OVER_TEMPERATURE = 85
    CONTACTOR_WELD = 92
    WATCHDOG = 99

"""Names of the numbers that the kernel works on; a member is its index in a plain array.

``P`` is one row of settings, ``X`` the state of one plant, ``U`` the inputs at one moment, ``G`` one
stretch of the timeline. Times are seconds from the start of the timeline; "since" is infinite while
something is not so.
"""

from enum import IntEnum, auto


class _Index(IntEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:
        return count


TRIPS = 12
REGIONS = 12
BINS = 200


class Mode(IntEnum):
    """The reactive-power mode; at most one is on."""

    NONE = 0
    POWER_FACTOR = 1
    VOLT_VAR = 2
    WATT_VAR = 3
    CONSTANT_Q = 4


class Control(IntEnum):
    """What the current control does."""

    OFF = 0
    NORMAL = 1
    SUPPORT = 2
    BLOCKED = 3


class U(_Index):
    """Inputs at one moment, and what is measured from them (per unit, hertz)."""

    VA = auto()
    VB = auto()
    VC = auto()
    HZ = auto()
    DEMAND = auto()
    LIMIT = auto()
    PERMIT = auto()
    AUTHORISED = auto()
    LOW = auto()
    HIGH = auto()
    MEAN = auto()
    V1 = auto()
    V1_RE = auto()
    V1_IM = auto()
    V2_RE = auto()
    V2_IM = auto()


class G(_Index):
    """One stretch of the timeline: straight lines, fixed angles and switches."""

    START = auto()
    END = auto()
    CONSTANT = auto()
    VA = auto()
    VB = auto()
    VC = auto()
    HZ = auto()
    DEMAND = auto()
    LIMIT = auto()
    PERMIT = auto()
    AUTHORISED = auto()
    JUMP_RAD = auto()
    VA_SLOPE = auto()
    VB_SLOPE = auto()
    VC_SLOPE = auto()
    HZ_SLOPE = auto()
    DEMAND_SLOPE = auto()
    BALANCED = auto()
    COS_A = auto()
    SIN_A = auto()
    COS_B = auto()
    SIN_B = auto()
    COS_C = auto()
    SIN_C = auto()


class X(_Index):
    """State of one plant."""

    TIME = auto()
    STATUS = auto()
    TRIPPED = auto()
    TRIP_AT = auto()
    TRIP_TIME = auto()
    PENDING = auto()
    VA = auto()
    VB = auto()
    VC = auto()
    HZ = auto()
    LOW = auto()
    HIGH = auto()
    AUTHORISED = auto()
    ES_SINCE = auto()
    ES_RANDOM_S = auto()
    ES_RAMP = auto()
    ES_DONE = auto()
    RANDOM = auto()
    MC_SINCE = auto()
    CEASE_SINCE = auto()
    CTRL_MC_SINCE = auto()
    CTRL_CEASE_SINCE = auto()
    CTRL_BACK_SINCE = auto()
    LOW_SINCE = auto()
    HIGH_SINCE = auto()
    UNDER_SINCE = auto()
    OVER_SINCE = auto()
    MAY_TRIP = auto()
    DISTURBED = auto()
    DISTURBANCES = auto()
    CALM_SINCE = auto()
    ROCOF_HZ = auto()
    ROCOF = auto()
    V_U = auto()
    V_Y = auto()
    WATT_U = auto()
    WATT_Y = auto()
    CHARGE_U = auto()
    CHARGE_Y = auto()
    LIMIT = auto()
    DEMAND = auto()
    DROOP_U = auto()
    DROOP_Y = auto()
    DROOP_PRE = auto()
    UNDER = auto()
    OVER = auto()
    UNDER_ACTIVE = auto()
    OVER_ACTIVE = auto()
    VREF_U = auto()
    VREF_Y = auto()
    Q_MODE = auto()
    Q_U = auto()
    Q_Y = auto()
    Q_RAMP = auto()
    Q_RAMPING = auto()
    CONTROL = auto()
    RESTORING = auto()
    ID = auto()
    ID_U = auto()
    ID_Y = auto()
    IQ_U = auto()
    IQ_Y = auto()
    SOC = auto()
    P_OUT = auto()
    Q_OUT = auto()
    MEAN = auto()
    MEAN_SUM = auto()
    MEAN_BEGAN = auto()
    MEAN_LAST = auto()
    MEAN_AT = auto()
    MEAN_SINCE = auto()
    MEAN_READY = auto()
    TRIP_SINCE = auto()  # and the eleven after it, one a trip curve


STATES = int(X.TRIP_SINCE) + TRIPS


class P(_Index):
    """One row of settings, made ready for one step width."""

    STEP = auto()
    COMPATIBLE = auto()
    SINGLE = auto()
    WITH_LINE = auto()
    POSITIVE = auto()
    HZ_NOMINAL = auto()
    SAFE_V_LOW = auto()
    SAFE_V_HIGH = auto()
    SAFE_HZ_LOW = auto()
    SAFE_HZ_HIGH = auto()
    ES_ENABLED = auto()
    ES_V_LOW = auto()
    ES_V_HIGH = auto()
    ES_HZ_LOW = auto()
    ES_HZ_HIGH = auto()
    ES_DELAY = auto()
    ES_RANDOM = auto()
    ES_RATE = auto()
    PERMIT = auto()
    AUTHORISED = auto()
    TRIPS = auto()
    RT_ENABLED = auto()
    RT_TRIP = auto()
    V_REGIONS = auto()
    HZ_REGIONS = auto()
    V_CALM_LOW = auto()
    V_CALM_HIGH = auto()
    HZ_CALM_LOW = auto()
    HZ_CALM_HIGH = auto()
    MC_ENABLED = auto()
    MC_LOW = auto()
    MC_HIGH = auto()
    MC_RESPONSE = auto()
    MC_RETURN = auto()
    CEASE_LOW = auto()
    CEASE_HIGH = auto()
    CEASE_RESPONSE = auto()
    COUNT_MAX = auto()
    COUNT_RESET = auto()
    ROCOF_MAX = auto()
    ROCOF_KEEP = auto()
    ROCOF_GAIN = auto()
    JUMP_MAX = auto()
    V_LAGGED = auto()
    V_E = auto()
    V_B0 = auto()
    V_B1 = auto()
    WATT_ENABLED = auto()
    WATT_V1 = auto()
    WATT_V2 = auto()
    WATT_P1 = auto()
    WATT_P2 = auto()
    WATT_SLOPE = auto()
    WATT_E = auto()
    WATT_B0 = auto()
    WATT_B1 = auto()
    CHARGE_ENABLED = auto()
    CHARGE_V1 = auto()
    CHARGE_V2 = auto()
    CHARGE_P1 = auto()
    CHARGE_P2 = auto()
    CHARGE_SLOPE = auto()
    LIMIT_ENABLED = auto()
    LIMIT = auto()
    LIMIT_RATE = auto()
    DEMAND_RATE = auto()
    CHARGE_RATIO = auto()
    DROOP_ENABLED = auto()
    DROOP_OVER_HZ = auto()
    DROOP_UNDER_HZ = auto()
    DROOP_OVER_GAIN = auto()
    DROOP_UNDER_GAIN = auto()
    DROOP_E = auto()
    DROOP_B0 = auto()
    DROOP_B1 = auto()
    MODE = auto()
    PF_FACTOR = auto()
    PF_E = auto()
    PF_B0 = auto()
    PF_B1 = auto()
    Q_FIXED = auto()
    Q_E = auto()
    Q_B0 = auto()
    Q_B1 = auto()
    VV_V0 = auto()
    VV_V1 = auto()
    VV_V2 = auto()
    VV_V3 = auto()
    VV_Q0 = auto()
    VV_Q1 = auto()
    VV_Q2 = auto()
    VV_Q3 = auto()
    VV_S0 = auto()
    VV_S1 = auto()
    VV_S2 = auto()
    VV_E = auto()
    VV_B0 = auto()
    VV_B1 = auto()
    VREF = auto()
    VREF_AUTO = auto()
    VREF_LOW = auto()
    VREF_HIGH = auto()
    VREF_E = auto()
    VREF_B0 = auto()
    VREF_B1 = auto()
    WV_P = auto()
    WV_P1 = auto()
    WV_P2 = auto()
    WV_P3 = auto()
    WV_P4 = auto()
    WV_P5 = auto()
    WV_Q = auto()
    WV_Q1 = auto()
    WV_Q2 = auto()
    WV_Q3 = auto()
    WV_Q4 = auto()
    WV_Q5 = auto()
    WV_S = auto()
    WV_S1 = auto()
    WV_S2 = auto()
    WV_S3 = auto()
    WV_S4 = auto()
    WV_E = auto()
    WV_B0 = auto()
    WV_B1 = auto()
    MODE_RATE = auto()
    MODE_START = auto()
    P_RATIO = auto()
    S_CHARGE = auto()
    Q_INJECT = auto()
    Q_ABSORB = auto()
    Q_NEED_INJECT = auto()
    Q_NEED_ABSORB = auto()
    REACTIVE_FIRST = auto()
    SUPPORT_ENABLED = auto()
    SUPPORT_K = auto()
    I_MAX = auto()
    SUSCEPTANCE = auto()
    RESTORE_RATE = auto()
    RESTORE_ALWAYS = auto()
    I_E = auto()
    I_B0 = auto()
    I_B1 = auto()
    SOC_ENABLED = auto()
    SOC_MIN = auto()
    SOC_MAX = auto()
    SOC_GAIN = auto()
    CHARGE_EFFICIENCY = auto()
    MEAN_SIDE = auto()
    MEAN_LEVEL = auto()
    MEAN_AFTER = auto()
    MEAN_WINDOW = auto()
    TRIP_SIDE = auto()  # from here on tables: trips (1 low, 2 high voltage; 3 low, 4 high frequency), regions


TRIP_SIDE = int(P.TRIP_SIDE)
TRIP_LEVEL = TRIP_SIDE + TRIPS
TRIP_AFTER = TRIP_LEVEL + TRIPS
REGION_V_UPPER = TRIP_AFTER + TRIPS
REGION_V_STATUS = REGION_V_UPPER + REGIONS
REGION_V_MINIMUM = REGION_V_STATUS + REGIONS
REGION_V_SLOPE = REGION_V_MINIMUM + REGIONS
REGION_V_LOWER = REGION_V_SLOPE + REGIONS
REGION_HZ_UPPER = REGION_V_LOWER + REGIONS
REGION_HZ_STATUS = REGION_HZ_UPPER + REGIONS
REGION_HZ_MINIMUM = REGION_HZ_STATUS + REGIONS
SETTINGS = REGION_HZ_MINIMUM + REGIONS

# One plant in one array, for calls from outside: state, inputs, stretch, due time, steps, mean, three rows
MEMORY_U = STATES
MEMORY_G = MEMORY_U + len(U)
MEMORY_DUE = MEMORY_G + len(G)
MEMORY_COUNT = MEMORY_DUE + 1
MEMORY_RING = MEMORY_COUNT + 1
MEMORY_ROWS = MEMORY_RING + BINS

"""Names of the numbers that the kernel works on; a member is its index in a plain array.

``P`` is one row of settings, ``X`` the state of one plant, ``U`` the inputs at one moment, ``G`` one
stretch of the timeline. Times are seconds from the start of the timeline; "since" is infinite while
something is not so.
"""

from enum import IntEnum, auto

from v2glab.gridcodes.der._index import Index
from v2glab.gridcodes.der._places_settings import TRIPS

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


class U(Index):
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


class G(Index):
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


class X(Index):
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

# One plant in one array, for calls from outside: state, inputs, stretch, due time, steps, mean, three rows
MEMORY_U = STATES
MEMORY_G = MEMORY_U + len(U)
MEMORY_DUE = MEMORY_G + len(G)
MEMORY_COUNT = MEMORY_DUE + 1
MEMORY_RING = MEMORY_COUNT + 1
MEMORY_ROWS = MEMORY_RING + BINS

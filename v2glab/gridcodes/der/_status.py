"""The states of a plant, after IEEE 1547-2018, clauses 3.1, 4.10 and 6.4.2."""

from enum import IntEnum


class Status(IntEnum):
    """What the plant is doing; the number is what the kernel and the frames carry."""

    TRIP = 0
    ENTERING_SERVICE = 1
    CONTINUOUS_OPERATION = 2
    MANDATORY_OPERATION = 3
    PERMISSIVE_OPERATION = 4
    MOMENTARY_CESSATION = 5
    CEASE_TO_ENERGIZE = 6
    NOT_DEFINED = 7

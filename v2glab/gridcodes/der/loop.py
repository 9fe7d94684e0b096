"""The reference model for compiled loops of other rooms: its step, and where it keeps what they look at.

:class:`Der` makes the array (:attr:`Der.memory`); its first numbers are the state. Importing this compiles
nothing, but loads the compiler.
"""

from v2glab.gridcodes.der._kernel import step
from v2glab.gridcodes.der._places import MEMORY_ROWS, MEMORY_U, Control
from v2glab.gridcodes.der._places import U as Inputs
from v2glab.gridcodes.der._places import X as State
from v2glab.gridcodes.der._places_settings import SETTINGS, TRIP_AFTER, TRIP_SIDE
from v2glab.gridcodes.der._places_settings import P as Setting

#: Where the inputs begin, and the row of settings in force.
INPUTS, ROW = MEMORY_U, MEMORY_ROWS + SETTINGS

__all__ = [
    "INPUTS",
    "ROW",
    "TRIP_AFTER",
    "TRIP_SIDE",
    "Control",
    "Inputs",
    "Setting",
    "State",
    "step",
]

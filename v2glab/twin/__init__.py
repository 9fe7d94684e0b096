"""The embedded simulated bench: one plant behind real protocol servers. Started by the command line only."""

from v2glab.twin._plant import Plant
from v2glab.twin._plant_state import PlantState
from v2glab.twin._serve import Twin, serve
from v2glab.twin._settings import FAULTS, GridEvent, PlantSettings

__all__ = ["FAULTS", "GridEvent", "Plant", "PlantSettings", "PlantState", "Twin", "serve"]

"""Sessions of the vehicle link: both ends of DIN 70121, ISO 15118-2 and -20, messages backed by a plant."""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.links.sessions._ask import Asker
    from v2glab.links.sessions._energy import EnergyCount
    from v2glab.links.sessions._explain import explain_session, no_charger
    from v2glab.links.sessions._failure import SessionCause, SessionFailure, SessionPhase
    from v2glab.links.sessions._message import Message
    from v2glab.links.sessions._model import ModelBattery, ModelCharger
    from v2glab.links.sessions._offer import Bounds, Identification, Offer
    from v2glab.links.sessions._paused import Paused, PausedSessions
    from v2glab.links.sessions._plant import (
        ChargerPlant,
        ChargerReading,
        PowerLimits,
        VehicleNeeds,
        VehiclePlant,
        VehicleReading,
    )
    from v2glab.links.sessions._rules import SAP_NAMESPACE, SessionRules, load_session_rules
    from v2glab.links.sessions._serve import Answer, Refusal, SessionServer
    from v2glab.links.sessions._serving import Served, ServeSettings, SessionsListener, serve_sessions
    from v2glab.links.sessions._session import Session, open_session
    from v2glab.links.sessions._settings import Fixed, OpenSettings
    from v2glab.links.sessions._trace import MessageRecord, Trace
    from v2glab.links.sessions._vehicle import DriverParts, LoopState, Progress, VehicleDriver, Wanted, Wishes
    from v2glab.links.sessions._wire import MessageLink, Parcel, Tamper

_HOMES = {
    "_ask": ["Asker"],
    "_energy": ["EnergyCount"],
    "_failure": ["SessionCause", "SessionFailure", "SessionPhase"],
    "_explain": ["explain_session", "no_charger"],
    "_message": ["Message"],
    "_model": ["ModelBattery", "ModelCharger"],
    "_offer": ["Bounds", "Identification", "Offer"],
    "_paused": ["Paused", "PausedSessions"],
    "_plant": [
        "ChargerPlant", "ChargerReading", "PowerLimits", "VehicleNeeds", "VehiclePlant", "VehicleReading",
    ],
    "_rules": ["SAP_NAMESPACE", "SessionRules", "load_session_rules"],
    "_serve": ["Answer", "Refusal", "SessionServer"],
    "_serving": ["ServeSettings", "Served", "SessionsListener", "serve_sessions"],
    "_session": ["Session", "open_session"],
    "_settings": ["Fixed", "OpenSettings"],
    "_trace": ["MessageRecord", "Trace"],
    "_vehicle": ["DriverParts", "LoopState", "Progress", "VehicleDriver", "Wanted", "Wishes"],
    "_wire": ["MessageLink", "Parcel", "Tamper"],
}  # fmt: skip

__all__ = [
    "SAP_NAMESPACE",
    "Answer",
    "Asker",
    "Bounds",
    "ChargerPlant",
    "ChargerReading",
    "DriverParts",
    "EnergyCount",
    "Fixed",
    "Identification",
    "LoopState",
    "Message",
    "MessageLink",
    "MessageRecord",
    "ModelBattery",
    "ModelCharger",
    "Offer",
    "OpenSettings",
    "Parcel",
    "Paused",
    "PausedSessions",
    "PowerLimits",
    "Progress",
    "Refusal",
    "ServeSettings",
    "Served",
    "Session",
    "SessionCause",
    "SessionFailure",
    "SessionPhase",
    "SessionRules",
    "SessionServer",
    "SessionsListener",
    "Tamper",
    "Trace",
    "VehicleDriver",
    "VehicleNeeds",
    "VehiclePlant",
    "VehicleReading",
    "Wanted",
    "Wishes",
    "explain_session",
    "load_session_rules",
    "no_charger",
    "open_session",
    "serve_sessions",
]

__getattr__ = lazy_attributes(__name__, _HOMES)

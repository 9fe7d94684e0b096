"""Sessions of ISO 15118-20, both ends: AC and DC, one or both directions, scheduled and dynamic.

Services, order of messages, refusals and thresholds are data (``datasets/iso15118/session-20.toml``).
"""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.links.sessions.iso20._driver import Iso20Driver, make_driver
    from v2glab.links.sessions.iso20._issuer import ContractIssuer
    from v2glab.links.sessions.iso20._rules import Iso20Rules, load_iso20_rules
    from v2glab.links.sessions.iso20._service import Iso20Service, make_service

__all__ = [
    "ContractIssuer",
    "Iso20Driver",
    "Iso20Rules",
    "Iso20Service",
    "load_iso20_rules",
    "make_driver",
    "make_service",
]

__getattr__ = lazy_attributes(
    __name__,
    {
        "_driver": ["Iso20Driver", "make_driver"],
        "_issuer": ["ContractIssuer"],
        "_rules": ["Iso20Rules", "load_iso20_rules"],
        "_service": ["Iso20Service", "make_service"],
    },
)

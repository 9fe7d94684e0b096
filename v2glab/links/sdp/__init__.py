"""SECC discovery: the vehicle asks on its link where the charger listens (ISO 15118-2 and -20, 7.10.1).

Over IPv6 multicast on one interface, or straight to an address where privileges or multicast are missing.
SDP is not authenticated: anybody on the link can answer. What does not fit is passed over and counted, and
waiting goes on; TLS decides who the other end is.
"""

from v2glab.links.sdp._client import Discovery, DiscoveryError, discover
from v2glab.links.sdp._server import SdpServer, serve_sdp
from v2glab.links.sdp._ways import Direct, Multicast, SdpRules, load_sdp_rules

__all__ = [
    "Direct",
    "Discovery",
    "DiscoveryError",
    "Multicast",
    "SdpRules",
    "SdpServer",
    "discover",
    "load_sdp_rules",
    "serve_sdp",
]

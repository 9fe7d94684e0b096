"""TCP and TLS of the vehicle link: both ends, named causes of failure, where the time of a handshake went."""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.links.tls._causes import HandshakeError, TlsCause
    from v2glab.links.tls._connect import (
        FIXED_PORT,
        Listener,
        connect_plain,
        connect_tls,
        serve_plain,
        serve_tls,
    )
    from v2glab.links.tls._context import TlsSettings
    from v2glab.links.tls._rules import Phase, TlsRules, load_tls_rules
    from v2glab.links.tls._stream import PlainStream, TlsStream
    from v2glab.links.tls._timing import Timing, describe, judge_duration, slow_finding

__all__ = [
    "FIXED_PORT",
    "HandshakeError",
    "Listener",
    "Phase",
    "PlainStream",
    "Timing",
    "TlsCause",
    "TlsRules",
    "TlsSettings",
    "TlsStream",
    "connect_plain",
    "connect_tls",
    "describe",
    "judge_duration",
    "load_tls_rules",
    "serve_plain",
    "serve_tls",
    "slow_finding",
]

__getattr__ = lazy_attributes(
    __name__,
    {
        "_causes": ["TlsCause", "HandshakeError"],
        "_connect": ["FIXED_PORT", "Listener", "connect_plain", "connect_tls", "serve_plain", "serve_tls"],
        "_context": ["TlsSettings"],
        "_rules": ["Phase", "TlsRules", "load_tls_rules"],
        "_stream": ["PlainStream", "TlsStream"],
        "_timing": ["Timing", "describe", "judge_duration", "slow_finding"],
    },
)

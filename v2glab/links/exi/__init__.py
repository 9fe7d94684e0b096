"""EXI documents of the vehicle link: SupportedAppProtocol, DIN 70121, ISO 15118-2 and -20, XML Signature.

A codec of our own in pure Python. Message tables are data (``datasets/iso15118/messages``); readers and
writers are compiled from them on first use. It accepts the one canonical form of a document and nothing
else, so that what it reads it writes again byte for byte.
"""

from v2glab.links.exi._blank import blank
from v2glab.links.exi._document import (
    LONGEST_DOCUMENT,
    decode,
    decode_fragment,
    encode,
    encode_fragment,
    fragments,
    messages,
    prepare,
)
from v2glab.links.exi._error import ExiError
from v2glab.links.exi._tables import namespaces

__all__ = [
    "LONGEST_DOCUMENT",
    "ExiError",
    "blank",
    "decode",
    "decode_fragment",
    "encode",
    "encode_fragment",
    "fragments",
    "messages",
    "namespaces",
    "prepare",
]

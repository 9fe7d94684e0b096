"""Whole documents and fragments: header, root, end (ISO 15118-2, 7.9.1; EXI 1.0, 5 and 8.5)."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

from v2glab.links.exi._codec import Codec, codec
from v2glab.links.exi._error import ExiError, Fault
from v2glab.links.exi._tables import load_tables
from v2glab.links.exi._values import windows

#: Octets of the longest document that is read. The longest that the tables allow are schedules of about
#: 100 kB; V2GTP could announce 4 GiB.
LONGEST_DOCUMENT = 1 << 20
#: Distinguishing bits 10, no options, final version 1 (EXI 1.0, 5).
_HEADER = 0x80
#: A leading one before the header: what has been written, and where it begins.
_BEGUN = 1 << 8 | _HEADER
Plain = dict[str, Any]


@cache
def _roots(namespace: str) -> tuple[dict[int, tuple[str, str]], int]:
    """Return the messages of a namespace (code: name, type) and the width of their code.

    A document may consist of any global element; a message is one of the namespace's own that is called
    after what it does in a session, or the envelope.
    """
    tables = load_tables(namespace)
    roots = tables.roots()
    wrapped = tables.envelope.element if tables.envelope else ""
    found = {
        code: (particle.name, particle.type_name)
        for code, particle in enumerate(roots)
        if particle.uri == namespace
        and (particle.name == wrapped if wrapped else particle.name.endswith(("Req", "Res")))
    }
    return found, len(roots).bit_length()


@cache
def _fragments(namespace: str) -> tuple[dict[int, tuple[str, str]], int, int]:
    """Return the elements of fragments (code: name, type), the code of the end, and the width of both.

    An element whose name has several types is left out: where they share a namespace, EXI reads it by other
    rules (8.5.3), and where not, the name alone would not say which is meant. V2G signs none of them but
    eMAID.
    """
    elements = load_tables(namespace).fragments()
    often = Counter(name for name, _, _ in elements)
    found = {
        code: (name, types[0])
        for code, (name, _, types) in enumerate(elements)
        if len(types) == 1 and often[name] == 1
    }
    return found, len(elements) + 1, (len(elements) + 1).bit_length()


def decode(data: bytes, namespace: str) -> tuple[str, Plain]:
    """Read one message.

    Parameters
    ----------
    data
        The EXI document, with its header: the payload of a V2GTP message.
    namespace
        What supportedAppProtocol agreed on, or that protocol's own: a document does not tell.

    Returns
    -------
    tuple of str and dict
        Name of the message, and its content: one key, the root element; below it a dictionary for an element
        with content, a list where an element may stand more than once, bool, int or str for a value;
        hexadecimal capitals and base 64 for octets. The text of an element with attributes has the key
        ``value``. In DIN 70121 and ISO 15118-2 the root is ``V2G_Message``.

    Raises
    ------
    ExiError
        It is no such document: truncated, too long, changed, or of another namespace; element and bit say
        where.
    InputError
        No table has this namespace.
    """
    made = codec(namespace)
    roots, width = _roots(namespace)
    data, w = _begin(data)
    code = w[0] >> 56 - width & (1 << width) - 1
    if code not in roots:
        raise ExiError(f"code {code} of no message", f"a message of {namespace}", "", 8)
    name, type_name = roots[code]
    content, p = _read(made, type_name, name, data, w, 8 + width)
    _finish(data, p, name)
    document = {name: content}
    return _message(namespace, document), document


def decode_fragment(data: bytes, namespace: str) -> tuple[str, Plain]:
    """Read one element that stands alone, as it is signed (ISO 15118-2, 7.9.2.4.2).

    ``namespace`` is that of the message set, or of XML Signature for SignedInfo. The text of an element
    without children has the key ``value``.

    Raises
    ------
    ExiError
        It is no such fragment.
    InputError
        No table has this namespace.
    """
    made = codec(namespace)
    elements, end, width = _fragments(namespace)
    data, w = _begin(data)
    code = w[0] >> 56 - width & (1 << width) - 1
    if code not in elements:
        raise ExiError(f"code {code} of no element", f"an element of {namespace}", "", 8)
    name, type_name = elements[code]
    content, p = _read(made, type_name, name, data, w, 8 + width)
    if p >> 5 >= len(w) or w[p >> 5] >> 64 - width - (p & 31) & (1 << width) - 1 != end:
        raise ExiError("more than one element", "the end of the fragment", name, p)
    _finish(data, p + width, name)
    return name, {name: content}


def encode(namespace: str, message: str, document: Plain) -> bytes:
    """Write one message; the reverse of :func:`decode`.

    Raises
    ------
    ExiError
        The dictionary does not fit: an element is missing, unknown or out of range; the path says which.
    InputError
        No table has this namespace.
    """
    made = codec(namespace)
    roots, width = _roots(namespace)
    root, content = _only(document)
    code, type_name = _find(roots, root, f"a message of {namespace}")
    parts = _write(made, type_name, root, _BEGUN << width | code, content)
    if _message(namespace, document) != message:
        raise ExiError(f"message {_message(namespace, document)}", f"message {message!r:.60}", root)
    return _join(parts)


def encode_fragment(namespace: str, document: Plain) -> bytes:
    """Write one element that stands alone, as it is signed; the reverse of :func:`decode_fragment`.

    Raises
    ------
    ExiError
        The dictionary does not fit.
    InputError
        No table has this namespace.
    """
    made = codec(namespace)
    elements, end, width = _fragments(namespace)
    root, content = _only(document)
    code, type_name = _find(elements, root, f"an element of {namespace} that has one type")
    parts = _write(made, type_name, root, _BEGUN << width | code, content)
    parts[-1] = parts[-1] << width | end
    return _join(parts)


def fragments(namespace: str) -> dict[str, str]:
    """Return the elements of a namespace that may stand alone, each with its type.

    Raises
    ------
    InputError
        No table has this namespace.
    """
    return dict(_fragments(namespace)[0].values())


def messages(namespace: str) -> list[str]:
    """Return the names of the messages of a namespace.

    Raises
    ------
    InputError
        No table has this namespace.
    """
    tables = load_tables(namespace)
    return sorted(tables.bodies() or (name for name, _ in _roots(namespace)[0].values()))


def prepare(namespace: str) -> None:
    """Compile all readers and writers of a namespace, so that no message of a session waits for that.

    Raises
    ------
    InputError
        No table has this namespace.
    """
    made = codec(namespace)
    types = [type_name for _, type_name in _roots(namespace)[0].values()]
    for type_name in (*types, *made.tables.bodies().values()):
        made.reader(type_name)
        made.writer(type_name)
    made.prepare()


def _begin(data: bytes) -> tuple[bytes, list[int]]:
    """Return the octets and the windows of a document whose header is right."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ExiError(f"a {type(data).__name__}", "octets")
    if len(data) > LONGEST_DOCUMENT:
        raise ExiError(f"document of {len(data)} octets", f"at most {LONGEST_DOCUMENT}", "", 0)
    if not data:
        raise ExiError("document of no octets", "an EXI document", "", 0)
    if data[0] != _HEADER:
        raise ExiError(f"header 0x{data[0]:02X}", f"header 0x{_HEADER:02X}: EXI 1.0 without options", "", 0)
    octets = bytes(data)
    return octets, windows(octets)


def _read(made: Codec, type_name: str, name: str, data: bytes, w: list[int], p: int) -> tuple[Plain, int]:
    try:
        content, p = made.reader(type_name)(data, w, p)
    except (Fault, IndexError) as error:
        made.refuse(error, name, data)
    return content, p


def _finish(data: bytes, p: int, name: str) -> None:
    """Refuse what is missing at the end, and all but zeros to the next octet."""
    rest = 8 * len(data) - p
    if rest < 0:
        raise ExiError(f"document ends after {len(data)} octets", "a whole document", name, p)
    if rest > 7:
        raise ExiError(f"{rest // 8} octets too many", "the end of the document", name, p)
    if data[-1] & (1 << rest) - 1:
        raise ExiError("padding that is not zero", "zeros up to the next octet", name, p)


def _message(namespace: str, document: Plain) -> str:
    """Return the name of a message: the root, or what its envelope holds."""
    root = next(iter(document))
    wrapped = load_tables(namespace).envelope
    if wrapped is None:
        return root
    body = document[root][wrapped.body]
    return next(iter(body), root)


def _only(document: Plain) -> tuple[str, Any]:
    """Return root and content of a dictionary that has one key."""
    if not isinstance(document, dict) or len(document) != 1:
        raise ExiError(f"{document!r:.60}", "a dictionary with one key: the root element")
    return next(iter(document.items()))


def _find(elements: dict[int, tuple[str, str]], root: str, required: str) -> tuple[int, str]:
    """Return code and type of a root element."""
    for code, (name, type_name) in elements.items():
        if name == root:
            return code, type_name
    raise ExiError(f"{root!r:.60}", required)


def _write(made: Codec, type_name: str, name: str, begun: int, content: object) -> list[int]:
    """Return the parts of a document, each with a leading one."""
    parts: list[int] = []
    try:
        parts.append(made.writer(type_name)(begun, content, parts))
    except (Fault, KeyError) as error:
        made.refuse(error, name, None)
    return parts


def _join(parts: list[int]) -> bytes:
    """Return the octets of a document, filled up with zeros."""
    whole = parts[0]
    if len(parts) > 1:
        whole = int("1" + "".join(f"{part:b}"[1:] for part in parts), 2)
    padding = -(whole.bit_length() - 1) & 7
    whole <<= padding
    return whole.to_bytes(whole.bit_length() + 7 >> 3)[1:]

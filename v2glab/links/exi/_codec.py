"""Readers and writers of one namespace, compiled from its tables on first use, and their errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from types import TracebackType
from typing import Any, NoReturn

from v2glab.links.exi import _values
from v2glab.links.exi._error import ExiError, Fault
from v2glab.links.exi._model import Particle
from v2glab.links.exi._read_source import Reader
from v2glab.links.exi._source import NAMED, Dispatch, Source, function_name
from v2glab.links.exi._tables import Tables, load_tables
from v2glab.links.exi._write_source import Writer

#: A document in progress that is longer is put aside in parts, so that appending stays cheap.
_FULL = 1 << 2048
_READ, _WRITE = "r_", "w_"
Function = Callable[..., Any]


class Codec:
    """Functions of one namespace; made when they are first needed, shared by all threads."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._lock = threading.Lock()
        self._batches = 0
        self._later: list[tuple[str, str]] = []
        self._places: dict[str, list[str | None]] = {}
        self._scope: dict[str, Any] = {name: getattr(_values, name) for name in _values.__all__}
        self._scope |= {
            "Fault": Fault,
            "FULL": _FULL,
            "LONGEST_BITS": 7 * _values.LONGEST_INTEGER,
            "__builtins__": {
                "len": len, "type": type, "dict": dict, "list": list, "int": int, "str": str,
                "isinstance": isinstance,
            },
        }  # fmt: skip

    def reader(self, type_name: str) -> Function:
        """Return the function that reads a type."""
        return self._function(_READ, type_name)

    def writer(self, type_name: str) -> Function:
        """Return the function that writes a type."""
        return self._function(_WRITE, type_name)

    def prepare(self) -> None:
        """Make the functions of all alternatives that wait for their first use, and of what they hold."""
        for prefix, type_name in self._later:  # grows on the way
            self._function(prefix, type_name)

    def _function(self, prefix: str, type_name: str) -> Function:
        name = function_name(prefix, type_name)
        if name not in self._scope:
            with self._lock:
                if name not in self._scope:
                    self._compile(prefix, type_name)
        function: Function = self._scope[name]
        return function

    def _compile(self, prefix: str, type_name: str) -> None:
        """Make the functions of a type and of all types that it holds."""
        self._batches += 1
        source = Source(needs=[type_name], batch=self._batches)
        for needed in source.needs:  # grows on the way
            if function_name(prefix, needed) not in self._scope:
                made = Reader if prefix == _READ else Writer
                made(self.tables, source, needed).generate()
        file = f"<exi {self.tables.namespace} {self._batches}>"
        self._places[file] = source.places
        for name, held in source.objects.items():
            self._scope[name] = self._dispatch(prefix, held) if isinstance(held, Dispatch) else held
        made_here: dict[str, Any] = {}
        # The source is made from tables that travel with this package; names from them appear as literals.
        exec(compile("\n".join(source.lines), file, "exec"), self._scope, made_here)  # noqa: S102
        # One step: whoever sees one of them finds all that it calls.
        self._scope.update(made_here)

    def _dispatch(self, prefix: str, found: Dispatch) -> Any:  # noqa: ANN401 -- a list to read, a dict to write
        if prefix == _READ:
            return [(p.name, self._late(prefix, p)) for p in found.particles]
        return {
            p.name: (found.start + number, self._late(prefix, p))
            for number, p in enumerate(found.particles)
            if not (p.wildcard or p.abstract)
        }

    def _late(self, prefix: str, particle: Particle) -> Function:
        """Return a function that is made when it is first called."""
        made: list[Function] = []
        if not (particle.wildcard or particle.abstract):
            self._later.append((prefix, particle.type_name))

        def call(*arguments: Any) -> Any:  # noqa: ANN401 -- passes on what the functions take
            if not made:
                if particle.wildcard or particle.abstract:
                    raise Fault("an element that the table names")
                made.append(self._function(prefix, particle.type_name))
            return made[0](*arguments)

        return call

    def refuse(self, error: Exception, root: str, data: bytes | None) -> NoReturn:
        """Turn what a generated function raised into the error of this package, with its place."""
        names, values, reached = self._trace(error.__traceback__)
        path = "/".join([root, *names])
        bit = values.get("p") if data is not None else None
        required = error.required if isinstance(error, Fault) else "content as its message table says"
        if data is not None:
            at_end = isinstance(error, IndexError) or reached > 8 * len(data)
            fault = f"document ends after {len(data)} octets" if at_end else "content that does not fit"
            raise ExiError(fault, required if not at_end else "a whole document", path, bit) from None
        if isinstance(error, KeyError):
            raise ExiError("nothing", "an element that is required there", path) from None
        at_hand = values.get("v", values.get("d"))
        found = (error.found if isinstance(error, Fault) else "") or f"{at_hand!r:.60}"
        raise ExiError(found, required, path) from None

    def _trace(self, traceback: TracebackType | None) -> tuple[list[str], dict[str, Any], int]:
        """Return the elements on the way to the fault, the innermost variables, and how far it was read."""
        names: list[str] = []
        reached = 0
        values: dict[str, Any] = {}
        while traceback is not None:
            frame = traceback.tb_frame
            reached = frame.f_locals.get("p", reached)
            places = self._places.get(frame.f_code.co_filename)
            if places is not None:
                values = frame.f_locals
                name = places[traceback.tb_lineno - 1]
                name = values.get("name") if name == NAMED else name
                names += [name] if name else []
            traceback = traceback.tb_next
        return names, values, reached


@cache
def codec(namespace: str) -> Codec:
    """Return the codec of a namespace.

    Raises
    ------
    InputError
        No table has this namespace.
    """
    return Codec(load_tables(namespace))

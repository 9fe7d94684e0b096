"""Faults of the vehicle link: injected by message, octet or time, and what both ends make of them."""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.links.faults._finding import LinkFinding, explain_link
    from v2glab.links.faults._inject import Injected, inject, inject_all
    from v2glab.links.faults._rows import Fault, load_faults

__all__ = ["Fault", "Injected", "LinkFinding", "explain_link", "inject", "inject_all", "load_faults"]

__getattr__ = lazy_attributes(
    __name__,
    {
        "_finding": ["LinkFinding", "explain_link"],
        "_inject": ["Injected", "inject", "inject_all"],
        "_rows": ["Fault", "load_faults"],
    },
)

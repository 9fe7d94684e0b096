"""A rate of the Utility Rate Database where the barrier analysis expects a tariff."""

from __future__ import annotations

import re

from v2glab.barriers.tariffs._rate import Rate
from v2glab.barriers.tariffs._tariff import ExportRate, ImportRate, Tariff


def tariff_of(rate: Rate, timezone: str) -> Tariff:
    """Return the tariff whose prices :func:`marginal_prices` gives by the step.

    The database states prices as billed: no levy, fee or VAT stands apart, so none is refunded.
    """
    name = rate.name or rate.label or "rate"
    identity = re.sub(r"[^a-z0-9._-]+", "-", (rate.label or name).lower()).strip("-._") or "rate"
    return Tariff(
        id=identity,
        name=name,
        currency=rate.currency,
        jurisdiction=rate.utility or "not stated",
        timezone=timezone,
        source=rate.source or "rate file without a source",
        imports=ImportRate(kind="rate", markup=0.0, grid_fee=0.0, levies=0.0, vat_percent=0.0),
        exports=ExportRate(kind="rate", fee=0.0),
    )

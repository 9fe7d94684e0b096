"""What the fields of a rate have to say together. Each raises ``ValueError`` with the entry's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from v2glab.barriers.tariffs._rate import Rate, Tier


def check_schedules(rate: Rate, kind: str, structure: tuple[tuple[Tier, ...], ...]) -> None:
    """Every cell of a schedule has to point at a period; one period alone needs no schedule."""
    tables = [getattr(rate, f"{kind}{day}schedule") for day in ("weekday", "weekend")]
    if tables == [None, None] and len(structure) == 1:
        return
    for day, table in zip(("weekday", "weekend"), tables, strict=True):
        name = f"{kind}{day}schedule"
        if table is None:
            raise ValueError(f"{name} is missing, and {kind}ratestructure has {len(structure)} period(s)")
        for month, row in enumerate(table):
            for hour, period in enumerate(row):
                if period >= len(structure):
                    raise ValueError(
                        f"{name}[{month}][{hour}] is {period}, but {kind}ratestructure has "
                        f"{len(structure)} period(s), counted from 0"
                    )


def check_flat(rate: Rate) -> None:
    """Flat demand needs both its tiers and its months."""
    if (rate.flatdemandstructure is None) != (rate.flatdemandmonths is None):
        raise ValueError("flatdemandstructure and flatdemandmonths: one of the two is missing")
    for month, period in enumerate(rate.flatdemandmonths or ()):
        if period >= len(rate.flatdemandstructure or ()):
            raise ValueError(
                f"flatdemandmonths[{month}] is {period}, but flatdemandstructure has "
                f"{len(rate.flatdemandstructure or ())} period(s), counted from 0"
            )


def check_tiers(where: str, tiers: tuple[Tier, ...], *, energy: bool) -> None:
    """Units that can be billed, limits that rise, and blocks before the tiers within them."""
    allowed = ("", "kWh", "kWh/kW", "kWh daily", "kWh/kW daily") if energy else ("", "kW")
    last: dict[str, float] = {}
    for number, tier in enumerate(tiers):
        if tier.unit not in allowed:
            raise ValueError(f"{where}[{number}].unit is {tier.unit!r}; can bill {', '.join(allowed[1:])}")
        if tier.upper <= last.get(tier.unit, 0.0):
            raise ValueError(f"{where}[{number}].max is {tier.max}, not above the tier before it")
        last[tier.unit] = tier.upper
    per_kw = [tier.unit.startswith("kWh/kW") for tier in tiers]
    if any(per_kw) and not per_kw[0]:
        raise ValueError(f"{where}: a block in kWh/kW has to come first, the tiers in kWh within it after")


def check_once(rate: Rate) -> None:
    """Versions up to 7 and from 8 on name some charges differently; both at once would be billed twice."""
    if rate.fixedmonthlycharge and rate.fixedchargefirstmeter:
        raise ValueError("fixedmonthlycharge and fixedchargefirstmeter: which one is charged?")
    if rate.mincharge and (rate.minmonthlycharge or rate.annualmincharge):
        raise ValueError("mincharge and minmonthlycharge or annualmincharge: which one is charged?")
    if (rate.lookbackpercent > 0) != (rate.lookbackrange > 0):
        raise ValueError("lookbackpercent and lookbackrange: one of the two is missing or 0")
    if rate.lookbackpercent > 0 and rate.demandratestructure is not None:
        raise ValueError(
            "lookbackpercent beside demandratestructure: the format does not say which period is ratcheted"
        )
    if rate.usenetmetering is False and rate.dgrules == "Net Metering":
        raise ValueError("usenetmetering is false, dgrules is Net Metering")

"""Find tariff and prices of a barrier analysis, and lay them over the window; currencies never mix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from v2glab.barriers import (
    STEP_S,
    Market,
    PriceYear,
    Transformation,
    Vehicle,
    Window,
    energy_price,
    lay_over,
)
from v2glab.barriers.tariffs import Rate, marginal_prices, same_currency, tariff_of
from v2glab.evidence import InputError
from v2glab.procedures._barrier_files import read_prices, read_rate, read_tariff
from v2glab.resources import find_data


def read_market(prices: str, tariff: str, timezone: str, window: Window) -> tuple[Market, PriceYear | None]:
    """Return the market of the window, and the price year behind it where there is one.

    Parameters
    ----------
    prices
        A file, or empty for the example.
    tariff
        A file of this project's form (``.toml``) or of the Utility Rate Database (``.json``), or the name of
        one that travels with the package.
    timezone
        Whose clock a rate of the database follows: its form holds none.

    Raises
    ------
    InputError
        A file is wrong, currencies differ, or a rate couples steps that are dispatched one by one.
    """
    path = _tariff_path(tariff)
    if path.suffix == ".json":
        if prices:
            raise InputError(
                f"prices {Path(prices).name} beside rate {path.name}, which has its own",
                "one source of prices",
                "leave the prices out, or name a tariff that follows them",
            )
        return _rate_market(read_rate(path), path.name, timezone, window), None
    year = read_prices(Path(prices) if prices else find_data("datasets", "prices", "example-prices.csv"))
    found = read_tariff(path)
    same_currency(year.currency, found.currency, "prices", f"tariff {found.id}")
    energy = energy_price(found, lay_over(year, window), window.times_s)
    return Market(found, energy, window), year


def check_currency(currency: str, vehicle: Vehicle, rules: Mapping[str, Transformation]) -> None:
    """Refuse parameters in EUR beside a tariff in another currency.

    Raises
    ------
    InputError
        Wear or a rule's fixed cost is given in EUR, and the tariff is in another currency.
    """
    if vehicle.wear_eur_per_kwh:
        same_currency("EUR", currency, "wear_eur_per_kwh", "the tariff")
    for name, change in rules.items():
        if change.kind == "fixed_cost_eur_per_year" and change.value:
            same_currency("EUR", currency, f"the cost of rule {name}", "the tariff")


def _rate_market(rate: Rate, where: str, timezone: str, window: Window) -> Market:
    found = marginal_prices(rate, window.start_s, STEP_S, window.steps, timezone)
    if found.coupling:
        entry = found.coupling[0]
        raise InputError(
            f"{where}: {', '.join(found.coupled_by)} (such as {entry.key}) tie steps together",
            "prices that stand alone in each step",
            "take a rate without these; v2glab.barriers.tariffs.bill bills this one",
        )
    return Market(tariff_of(rate, timezone), found.buy_per_kwh, window, found.sell_per_kwh)


def _tariff_path(name: str) -> Path:
    """A name with a suffix is a file of the user's; a bare name is one that travels with the package."""
    if name.endswith((".toml", ".json")):
        return Path(name)
    rate = find_data("datasets", "tariffs") / f"{name}.json"
    return rate if rate.is_file() else find_data("datasets", "tariffs", f"{name}.toml")

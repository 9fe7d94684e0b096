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
from v2glab.barriers.tariffs import (
    Contract,
    Metering,
    Rate,
    marginal_prices,
    same_currency,
    tariff_of,
    whole_months,
)
from v2glab.evidence import InputError
from v2glab.procedures._barrier_files import read_prices, read_rate, read_tariff
from v2glab.resources import find_data

#: Ways of settling exported energy, by the name on the command line: rule, and what becomes of a credit.
METERINGS: dict[str, Metering] = {
    "net-metering": Metering(rule="net_metering", credit="kwh"),
    "net-metering-money": Metering(rule="net_metering", credit="money"),
    "net-billing": Metering(rule="net_billing", credit="paid"),
    "net-billing-carried": Metering(rule="net_billing", credit="carried"),
    "net-billing-hourly": Metering(rule="net_billing_hourly", credit="paid"),
    "buy-all-sell-all": Metering(rule="buy_all_sell_all", credit="paid"),
}


def dispatch_window(
    tariff: str, timezone: str, window: Window, *, metering: str = "", currency: str = ""
) -> Window:
    """Return the window to dispatch: twelve whole local months where the tariff ties steps together.

    Raises
    ------
    InputError
        The rate is wrong.
    """
    path = _tariff_path(tariff)
    if path.suffix != ".json":
        return window
    rate = read_rate(path, currency)
    found = marginal_prices(
        rate, window.start_s, STEP_S, window.steps, timezone, metering=_metering(metering, path.name)
    )
    if not found.coupling:
        return window
    start_s, end_s = whole_months(window.end_s, timezone)
    return Window(start_s, (end_s - start_s) // STEP_S)


def read_market(
    prices: str, tariff: str, timezone: str, window: Window, *, metering: str = "", currency: str = ""
) -> tuple[Market, PriceYear | None]:
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
    metering, currency
        How export is settled, and the currency of the rate, where its file does not say; see
        :data:`METERINGS`.

    Raises
    ------
    InputError
        A file is wrong, or currencies differ.
    """
    path = _tariff_path(tariff)
    if path.suffix == ".json":
        if prices:
            raise InputError(
                f"prices {Path(prices).name} beside rate {path.name}, which has its own",
                "one source of prices",
                "leave the prices out, or name a tariff that follows them",
            )
        rule = _metering(metering, path.name)
        return _rate_market(read_rate(path, currency), timezone, window, rule), None
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
        Wear or what a rule costs is given in EUR, and the tariff is in another currency.
    """
    if vehicle.wear_eur_per_kwh:
        same_currency("EUR", currency, "wear_eur_per_kwh", "the tariff")
    for name, change in rules.items():
        if "_eur_" in change.kind and change.value:
            same_currency("EUR", currency, f"the cost of rule {name}", "the tariff")


def _rate_market(rate: Rate, timezone: str, window: Window, metering: Metering | None) -> Market:
    found = marginal_prices(rate, window.start_s, STEP_S, window.steps, timezone, metering=metering)
    tariff, contract, rule = tariff_of(rate, timezone), None, metering or rate.metering
    if found.coupling and rule is not None:
        contract = Contract(rate, rule, timezone, window.start_s, STEP_S, window.steps)
    return Market(tariff, found.buy_per_kwh, window, found.sell_per_kwh, contract)


def _metering(name: str, where: str) -> Metering | None:
    if name and name not in METERINGS:
        raise InputError(
            f"metering {name!r} for {where}", f"one of: {', '.join(METERINGS)}", "name one of those"
        )
    return METERINGS[name] if name else None


def _tariff_path(name: str) -> Path:
    """A name with a suffix is a file of the user's; a bare name is one that travels with the package."""
    if name.endswith((".toml", ".json")):
        return Path(name)
    rate = find_data("datasets", "tariffs") / f"{name}.json"
    return rate if rate.is_file() else find_data("datasets", "tariffs", f"{name}.toml")

"""Tariffs: what a kWh and a kW cost, and the exact bill of a meter."""

from v2glab.barriers.tariffs._bill import bill
from v2glab.barriers.tariffs._calendar import Calendar, calendar_of
from v2glab.barriers.tariffs._contract import Contract, whole_months
from v2glab.barriers.tariffs._coupling import Coupling
from v2glab.barriers.tariffs._lines import Bill, Line
from v2glab.barriers.tariffs._marginal import MarginalPrices, marginal_prices
from v2glab.barriers.tariffs._metering import Metering
from v2glab.barriers.tariffs._money import Currency, same_currency
from v2glab.barriers.tariffs._parse import parse_rate
from v2glab.barriers.tariffs._rate import Rate, Tier
from v2glab.barriers.tariffs._rate_tariff import tariff_of
from v2glab.barriers.tariffs._tariff_bill import tariff_bill

__all__ = [
    "Bill",
    "Calendar",
    "Contract",
    "Coupling",
    "Currency",
    "Line",
    "MarginalPrices",
    "Metering",
    "Rate",
    "Tier",
    "bill",
    "calendar_of",
    "marginal_prices",
    "parse_rate",
    "same_currency",
    "tariff_bill",
    "tariff_of",
    "whole_months",
]

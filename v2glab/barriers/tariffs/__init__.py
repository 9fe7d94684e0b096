"""Tariffs: what a kWh and a kW cost, and the exact bill of a meter."""

from v2glab.barriers.tariffs._bill import bill
from v2glab.barriers.tariffs._calendar import Calendar, calendar_of
from v2glab.barriers.tariffs._lines import Bill, Line
from v2glab.barriers.tariffs._metering import Metering
from v2glab.barriers.tariffs._money import Currency, same_currency
from v2glab.barriers.tariffs._parse import parse_rate
from v2glab.barriers.tariffs._rate import Rate, Tier

__all__ = [
    "Bill",
    "Calendar",
    "Currency",
    "Line",
    "Metering",
    "Rate",
    "Tier",
    "bill",
    "calendar_of",
    "parse_rate",
    "same_currency",
]

"""Currencies are carried with every amount and never mixed."""

from __future__ import annotations

from typing import Literal

from v2glab.evidence import InputError

#: ISO 4217.
Currency = Literal["EUR", "USD", "GBP", "NOK", "SEK", "DKK", "CHF", "PLN", "CZK", "CAD", "AUD", "NZD", "JPY"]


def same_currency(first: str, second: str, first_name: str, second_name: str) -> None:
    """Refuse to mix two currencies.

    Raises
    ------
    InputError
        The currencies differ.
    """
    if first != second:
        raise InputError(
            f"{first_name} in {first}, {second_name} in {second}",
            "one currency",
            "convert one of the two with a rate that you can name; nothing is converted here",
        )

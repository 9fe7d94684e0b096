"""How a meter nets import and export, and what becomes of a credit."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Rule = Literal["net_metering", "net_billing", "net_billing_hourly", "buy_all_sell_all"]
_RULES: dict[str, Rule] = {
    "Net Metering": "net_metering",
    "Net Billing Instantaneous": "net_billing",
    "Net Billing Hourly": "net_billing_hourly",
    "Buy All Sell All": "buy_all_sell_all",
}
_CREDITS: dict[str, tuple[str, ...]] = {
    "net_metering": ("kwh", "money"),
    "net_billing": ("paid", "carried"),
    "net_billing_hourly": ("paid", "carried"),
    "buy_all_sell_all": ("paid",),
}


class Metering(BaseModel):
    """Metering rule. The database names the rule only; the rest are terms of the contract.

    Attributes
    ----------
    rule
        ``net_metering`` nets each month within each time-of-use period. ``net_billing`` prices import and
        export of every step on their own; ``net_billing_hourly`` nets each local clock hour first.
        ``buy_all_sell_all`` is two meters: all load is bought, all generation is sold.
    credit
        ``kwh``: surplus energy is taken off a later month, in the period that holds at the same hours.
        ``money``: surplus is paid at the sell rates and taken off energy charges, the rest carried on.
        ``paid``: what export earns comes off the bill of its month, which may go below zero. ``carried``: it
        comes off energy charges from the next month on, never below zero.
    true_up_month
        Calendar month, 1 to 12, after whose bill no credit is carried on.
    true_up
        Whether money left over is paid out then, or expires.
    year_end_per_kwh
        What a kWh of credit left over is paid then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Rule
    credit: Literal["kwh", "money", "paid", "carried"]
    true_up_month: int = Field(default=12, ge=1, le=12)
    true_up: Literal["paid", "expires"] = "paid"
    year_end_per_kwh: float = Field(default=0.0, ge=-10, le=10)

    @model_validator(mode="after")
    def _fits(self) -> Metering:
        if self.credit not in _CREDITS[self.rule]:
            raise ValueError(f"credit {self.credit!r} under {self.rule}; can be {_CREDITS[self.rule]}")
        return self


def metering_of(dgrules: str | None, usenetmetering: bool | None) -> Metering | None:
    """Return the rule that a rate names, with this project's default terms, or ``None``."""
    if dgrules is None:
        return Metering(rule="net_metering", credit="kwh") if usenetmetering else None
    rule = _RULES[dgrules]
    return Metering(rule=rule, credit="kwh" if rule == "net_metering" else "paid")

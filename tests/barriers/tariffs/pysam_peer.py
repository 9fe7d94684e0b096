"""NREL's Utilityrate5 (SAM) as an oracle for bills: the same rate, laid out for it by its own field names."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySAM import Utilityrate5

from v2glab.barriers.tariffs import Metering, Rate

#: 1 January 2018 was a Monday, as the first day of Utilityrate5's year always is; UTC has no clock changes.
START_S, ZONE = 1_514_764_800, "UTC"
_UNITS = {"": 0, "kWh": 0, "kWh/kW": 1, "kWh daily": 2, "kWh/kW daily": 3}
_OPTIONS = {
    ("net_metering", "kwh"): 0,
    ("net_metering", "money"): 1,
    ("net_billing", "paid"): 2,
    ("net_billing", "carried"): 3,
}


def utilityrate5_model(
    rate: Rate, load_kw: np.ndarray, export_kw: np.ndarray, metering: Metering | None = None
) -> Any:
    """Return an unexecuted model; load and export must not be in the same step."""
    metering = metering or rate.metering or Metering(rule="net_metering", credit="kwh")
    model = Utilityrate5.new()
    flat_tiers = rate.flatdemandstructure or ()
    one = [[1] * 24] * 12
    model.ElectricityRates.assign(
        {
            "en_electricity_rates": 1,
            "rate_escalation": [0],
            "ur_metering_option": _OPTIONS[metering.rule, metering.credit],
            "ur_nm_yearend_sell_rate": metering.year_end_per_kwh,
            "ur_nm_credit_month": metering.true_up_month - 1,
            "ur_nb_credit_expire": float(metering.true_up == "expires"),
            "ur_sell_eq_buy": 0,
            "ur_monthly_fixed_charge": rate.fixedmonthlycharge + rate.fixedchargefirstmeter,
            "ur_monthly_min_charge": rate.minmonthlycharge
            + (rate.mincharge if rate.minchargeunits == "$/month" else 0),
            "ur_annual_min_charge": rate.annualmincharge
            + (rate.mincharge if rate.minchargeunits == "$/year" else 0),
            "ur_ec_sched_weekday": _from_one(rate.energyweekdayschedule) or one,
            "ur_ec_sched_weekend": _from_one(rate.energyweekendschedule) or one,
            "ur_ec_tou_mat": [
                [p + 1, k + 1, min(t.upper, 1e38), _UNITS[t.unit], t.rate + t.adj, t.sell or 0.0]
                for p, tiers in enumerate(rate.energyratestructure)
                for k, t in enumerate(tiers)
            ],
            "ur_dc_enable": 1,
            "ur_dc_sched_weekday": _from_one(rate.demandweekdayschedule) or one,
            "ur_dc_sched_weekend": _from_one(rate.demandweekendschedule) or one,
            "ur_dc_tou_mat": [
                [p + 1, k + 1, min(t.upper, 1e38), t.rate + t.adj]
                for p, tiers in enumerate(rate.demandratestructure or ())
                for k, t in enumerate(tiers)
            ]
            or [[1, 1, 1e38, 0]],
            "ur_dc_flat_mat": [
                [month, k + 1, min(t.upper, 1e38), t.rate + t.adj]
                for month, p in enumerate(rate.flatdemandmonths or ())
                for k, t in enumerate(flat_tiers[p])
            ]
            or [[month, 1, 1e38, 0] for month in range(12)],
            "ur_enable_billing_demand": 0,
        }
    )
    if rate.lookbackpercent:
        counted = rate.lookbackmonths or (True,) * 12
        model.ElectricityRates.assign(
            {
                "ur_enable_billing_demand": 1,
                "ur_billing_demand_minimum": 0,
                "ur_billing_demand_lookback_period": rate.lookbackrange,
                "ur_billing_demand_lookback_percentages": [
                    [100 * rate.lookbackpercent * flag, 1] for flag in counted
                ],
                "ur_dc_billing_demand_periods": [[1, 1]],
                "ur_yearzero_usage_peaks": [0.0] * 12,
            }
        )
    model.Lifetime.assign({"analysis_period": 1, "inflation_rate": 0, "system_use_lifetime_output": 0})
    model.SystemOutput.assign({"gen": list(map(float, export_kw)), "degradation": [0]})
    model.Load.assign({"load": list(map(float, load_kw)), "load_escalation": [0]})
    return model


def peer_months(
    rate: Rate, load_kw: np.ndarray, export_kw: np.ndarray, metering: Metering | None = None
) -> np.ndarray:
    """Return the peer's twelve monthly bills."""
    model = utilityrate5_model(rate, load_kw, export_kw, metering)
    model.execute()
    return np.array(model.Outputs.utility_bill_w_sys_ym[1])


def _from_one(schedule: tuple[tuple[int, ...], ...] | None) -> list[list[int]] | None:
    return None if schedule is None else [[period + 1 for period in row] for row in schedule]

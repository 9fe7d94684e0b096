"""Which rule stops or degrades bidirectional charging, and what each costs."""

from v2glab.barriers._attribution import Attribution, Estimate, attribute, bootstrap
from v2glab.barriers._catalogue import (
    Barrier,
    Catalogue,
    Jurisdiction,
    Measured,
    check_catalogue,
    load_catalogue,
    parse_catalogue,
)
from v2glab.barriers._dispatch import DispatchProblem, Plan, dispatch, infeasible_step
from v2glab.barriers._evidence import BarrierEvidence, apply_evidence, map_verdicts
from v2glab.barriers._problem import Market, vehicle_year_problem
from v2glab.barriers._sessions import (
    STEP_S,
    Session,
    SessionIssue,
    Vehicle,
    VehicleYear,
    Window,
    last_year,
    select_vehicles,
)
from v2glab.barriers._synthetic import synthetic_prices, synthetic_sessions
from v2glab.barriers._terms import KINDS, Terms, Transformation, combine
from v2glab.barriers._value import Valuation, certify
from v2glab.barriers.tariffs._prices import PRICE_BOUNDS_PER_KWH, PriceYear, lay_over
from v2glab.barriers.tariffs._tariff import ExportRate, ImportRate, Tariff, energy_price, parse_tariff, settle

__all__ = [
    "KINDS",
    "PRICE_BOUNDS_PER_KWH",
    "STEP_S",
    "Attribution",
    "Barrier",
    "BarrierEvidence",
    "Catalogue",
    "DispatchProblem",
    "Estimate",
    "ExportRate",
    "ImportRate",
    "Jurisdiction",
    "Market",
    "Measured",
    "Plan",
    "PriceYear",
    "Session",
    "SessionIssue",
    "Tariff",
    "Terms",
    "Transformation",
    "Valuation",
    "Vehicle",
    "VehicleYear",
    "Window",
    "apply_evidence",
    "attribute",
    "bootstrap",
    "certify",
    "check_catalogue",
    "combine",
    "dispatch",
    "energy_price",
    "infeasible_step",
    "last_year",
    "lay_over",
    "load_catalogue",
    "map_verdicts",
    "parse_catalogue",
    "parse_tariff",
    "select_vehicles",
    "settle",
    "synthetic_prices",
    "synthetic_sessions",
    "vehicle_year_problem",
]

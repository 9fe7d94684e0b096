"""Which rule stops or degrades bidirectional charging, and what each costs."""

from v2glab.barriers._attribution import MOST_RULES, Attribution, attribute
from v2glab.barriers._catalogue import (
    Barrier,
    Catalogue,
    Jurisdiction,
    Measured,
    check_catalogue,
    load_catalogue,
    parse_catalogue,
)
from v2glab.barriers._coupled import CoupledPlan, Member, dispatch_coupled
from v2glab.barriers._dispatch import DispatchProblem, Plan, dispatch, infeasible_step
from v2glab.barriers._estimate import Estimate, bootstrap, draw_rules
from v2glab.barriers._evidence import BarrierEvidence, apply_evidence, map_verdicts
from v2glab.barriers._grid_events import EventLoss, GridEvent, reconnection_wait, replay, trips_rule
from v2glab.barriers._latency import (
    MarketLimit,
    WithinLimit,
    handshake_delay,
    parse_limits,
    telemetry_share,
    within_limits,
)
from v2glab.barriers._own_use import behind_meter, joined
from v2glab.barriers._problem import Frame, Market, occupancy, vehicle_year_problem
from v2glab.barriers._products import DemandCharge, ReserveProduct, called_energy
from v2glab.barriers._rolling import Outlook, rolling
from v2glab.barriers._rule_books import RuleBook, load_rule_books, parse_rule_books
from v2glab.barriers._sampled import MOST_SAMPLED_RULES, SampledAttribution, sample_orders, sets_of
from v2glab.barriers._sampler import SessionModel, parse_session_model, sample_sessions
from v2glab.barriers._services import ARBITRAGE, OWN_USE, RESPONSE, SERVICES, Response, Services, Way, ways
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
from v2glab.barriers._solve import CHARGING_ONLY, Outcome, hangs_together, solve_way
from v2glab.barriers._synthetic import (
    synthetic_frequency,
    synthetic_house,
    synthetic_prices,
    synthetic_sessions,
)
from v2glab.barriers._table import VehicleColumn, price_vehicle, terms_of
from v2glab.barriers._terms import KINDS, Terms, Transformation, combine
from v2glab.barriers._value import Valuation, VehicleValuer, certify
from v2glab.barriers.tariffs._prices import PRICE_BOUNDS_PER_KWH, PriceYear, lay_over
from v2glab.barriers.tariffs._tariff import ExportRate, ImportRate, Tariff, energy_price, parse_tariff, settle

__all__ = [
    "ARBITRAGE",
    "CHARGING_ONLY",
    "KINDS",
    "MOST_RULES",
    "MOST_SAMPLED_RULES",
    "OWN_USE",
    "PRICE_BOUNDS_PER_KWH",
    "RESPONSE",
    "SERVICES",
    "STEP_S",
    "Attribution",
    "Barrier",
    "BarrierEvidence",
    "Catalogue",
    "CoupledPlan",
    "DemandCharge",
    "DispatchProblem",
    "Estimate",
    "EventLoss",
    "ExportRate",
    "Frame",
    "GridEvent",
    "ImportRate",
    "Jurisdiction",
    "Market",
    "MarketLimit",
    "Measured",
    "Member",
    "Outcome",
    "Outlook",
    "Plan",
    "PriceYear",
    "ReserveProduct",
    "Response",
    "RuleBook",
    "SampledAttribution",
    "Services",
    "Session",
    "SessionIssue",
    "SessionModel",
    "Tariff",
    "Terms",
    "Transformation",
    "Valuation",
    "Vehicle",
    "VehicleColumn",
    "VehicleValuer",
    "VehicleYear",
    "Way",
    "Window",
    "WithinLimit",
    "apply_evidence",
    "attribute",
    "behind_meter",
    "bootstrap",
    "called_energy",
    "certify",
    "check_catalogue",
    "combine",
    "dispatch",
    "dispatch_coupled",
    "draw_rules",
    "energy_price",
    "handshake_delay",
    "hangs_together",
    "infeasible_step",
    "joined",
    "last_year",
    "lay_over",
    "load_catalogue",
    "load_rule_books",
    "map_verdicts",
    "occupancy",
    "parse_catalogue",
    "parse_limits",
    "parse_rule_books",
    "parse_session_model",
    "parse_tariff",
    "price_vehicle",
    "reconnection_wait",
    "replay",
    "rolling",
    "sample_orders",
    "sample_sessions",
    "select_vehicles",
    "sets_of",
    "settle",
    "solve_way",
    "synthetic_frequency",
    "synthetic_house",
    "synthetic_prices",
    "synthetic_sessions",
    "telemetry_share",
    "terms_of",
    "trips_rule",
    "vehicle_year_problem",
    "ways",
    "within_limits",
]

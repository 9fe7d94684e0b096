"""What settings must keep to: order of curves everywhere, ranges where a rule file gives them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from v2glab.evidence import InputError
from v2glab.gridcodes.der._bounds import setting_at
from v2glab.gridcodes.der._model_data import model_data
from v2glab.gridcodes.der._paths import covers

if TYPE_CHECKING:
    from v2glab.gridcodes.der._parts import Points, TripCurve
    from v2glab.gridcodes.der._settings import DerSettings

_MAX_TRIPS = 12
_MAX_REGIONS = 12


def refuse(name: str, value: object, required: str, clause: str, remedy: str = "") -> None:
    """Raise the error that names setting, clause and remedy."""
    at = f", clause {clause}" if clause else ""
    raise InputError(f"{name} = {value}{at}", required, remedy or f"set {name} within {required}")


def _clause(settings: DerSettings, name: str) -> str:
    """Return the clause of a setting: that of its trip, or of the ranges of its group; empty if unknown."""
    group, _, rest = name.partition(".")
    if group == "trips":
        return next((t.clause for t in settings.trips if t.name == rest.partition(".")[0]), "")
    return next((r.clause for r in settings.ranges if r.path.partition(".")[0] == group), "")


def check_settings(settings: DerSettings) -> None:
    """Raise ``InputError`` for the first setting that breaks a rule."""
    _check_frequency(settings)
    _check_curves(settings)
    _check_trips(settings)
    _check_order(settings)
    _check_unknown(settings)
    if settings.rules is not None:
        _check_ranges(settings)
        for trip in settings.trips:
            _check_trip_range(trip)


def _check_frequency(settings: DerSettings) -> None:
    """Refuse thresholds of another nominal frequency, such as 60 Hz curves for a 50 Hz plant."""
    nominal = settings.nameplate.f_nominal_hz
    limits = {f"trips.{t.name}.threshold": t.threshold for t in settings.trips if t.quantity == "frequency"}
    limits["enter_service.f_low_hz"] = settings.enter_service.f_low_hz
    limits["enter_service.f_high_hz"] = settings.enter_service.f_high_hz
    highs = {
        f"trips.{t.name}.threshold" for t in settings.trips if t.quantity == "frequency" and t.side == "high"
    }
    for name, value in limits.items():
        if name in settings.unknown:
            continue
        wrong_side = value <= nominal if name in highs | {"enter_service.f_high_hz"} else value >= nominal
        if wrong_side or not 0.75 * nominal <= value <= 1.25 * nominal:
            side = "above" if name in highs or name.endswith("f_high_hz") else "below"
            refuse(
                name,
                f"{value} Hz",
                f"{side} the nominal {nominal:g} Hz, within a quarter of it",
                _clause(settings, name),
                f"take the rules of a {nominal:g} Hz code, or set nameplate.f_nominal_hz",
            )


def _check_points(settings: DerSettings, name: str, points: Points, count: int, falling: bool) -> None:
    def wrong(found: object, required: str, remedy: str) -> None:
        refuse(name, found, required, _clause(settings, name), remedy)

    if len(points) != count:
        wrong(f"{len(points)} points", f"{count} points", "give all points")
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 < x0 or (x1 == x0 and y1 != y0):
            wrong(points, "points whose first number rises", "sort the points; no vertical steps")
        if falling and y1 > y0:
            wrong(points, "a curve that never rises", "let the second number fall or stay")


def _check_curves(settings: DerSettings) -> None:
    _check_points(settings, "volt_var.points", settings.volt_var.points, 4, falling=True)
    _check_points(settings, "watt_var.points", settings.watt_var.points, 6, falling=False)
    _check_points(settings, "volt_watt.points", settings.volt_watt.points, 2, falling=True)
    _check_points(settings, "volt_watt.charge_points", settings.volt_watt.charge_points, 2, falling=False)
    for name, points in (("volt_var", settings.volt_var.points), ("watt_var", settings.watt_var.points)):
        for _, q in points:
            if not -1.0 <= q <= 1.0:
                refuse(f"{name}.points", q, "[-1, 1] p.u.", _clause(settings, name))


def _check_trips(settings: DerSettings) -> None:
    """A trip that is further from nominal must not be slower than a nearer one."""
    names = [t.name for t in settings.trips]
    if len(names) != len(set(names)) or len(names) > _MAX_TRIPS:
        refuse("trips", names, f"at most {_MAX_TRIPS} curves, each with a name of its own", "", "drop some")
    for quantity in ("voltage", "frequency"):
        for side in ("low", "high"):
            mine = [
                t for t in settings.trips if (t.quantity, t.side) == (quantity, side) and t.averaging_s == 0.0
            ]
            mine.sort(key=lambda t: t.threshold, reverse=side == "low")
            for near, far in pairwise(mine):
                if far.time_s > near.time_s:
                    refuse(
                        f"trips.{far.name}.time_s",
                        f"{far.time_s} s",
                        f"at most {near.time_s} s, that of {near.name}",
                        far.clause,
                        "a curve must not be slower further from nominal",
                    )
    for quantity in ("voltage", "frequency"):
        regions = [r for r in settings.ride_through.regions if r.quantity == quantity]
        if len(regions) > _MAX_REGIONS:
            refuse(
                "ride_through.regions",
                len(regions),
                f"at most {_MAX_REGIONS} of {quantity}",
                "",
                "merge some",
            )
        for low, high in pairwise(regions):
            if low.upper is None or high.lower is None or low.upper != high.lower:
                refuse(
                    f"ride_through.regions.{high.name}.lower",
                    high.lower,
                    f"{low.upper}, the upper edge of {low.name}",
                    high.clause,
                    "let regions touch, from the lowest to the highest",
                )


def _check_order(settings: DerSettings) -> None:
    np, es, mc, soc = (
        settings.nameplate,
        settings.enter_service,
        settings.momentary_cessation,
        settings.soc,
    )
    pairs = [
        ("enter_service.v_low_pu", es.v_low_pu, "enter_service.v_high_pu", es.v_high_pu),
        ("momentary_cessation.v_low_pu", mc.v_low_pu, "momentary_cessation.v_high_pu", mc.v_high_pu),
        (
            "volt_var.vref_low_pu",
            settings.volt_var.vref_low_pu,
            "volt_var.vref_high_pu",
            settings.volt_var.vref_high_pu,
        ),
        ("soc.minimum", soc.minimum, "soc.initial", soc.initial),
        ("soc.initial", soc.initial, "soc.maximum", soc.maximum),
        ("nameplate.p_max_w", np.p_max_w, "nameplate.s_max_va", np.s_max_va),
        ("nameplate.p_charge_max_w", np.p_charge_max_w, "nameplate.s_charge_max_va", np.s_charge_max_va),
        ("nameplate.q_inject_max_var", np.q_inject_max_var, "nameplate.s_max_va", np.s_max_va),
        ("nameplate.q_absorb_max_var", np.q_absorb_max_var, "nameplate.s_max_va", np.s_max_va),
    ]
    for name, low, other, high in pairs:
        if low > high:
            refuse(name, low, f"at most {high}, that of {other}", "", f"lower {name} or raise {other}")
    modes = {
        "constant_pf": settings.constant_pf.enabled,
        "volt_var": settings.volt_var.enabled,
        "watt_var": settings.watt_var.enabled,
        "constant_q": settings.constant_q.enabled,
    }
    on = [name for name, enabled in modes.items() if enabled]
    if len(on) > 1:
        refuse("reactive power modes", ", ".join(on), "at most one enabled", "5.3.1", "disable all but one")


def _check_trip_range(trip: TripCurve) -> None:
    for name, value, bounds in (
        ("threshold", trip.threshold, trip.threshold_range),
        ("time_s", trip.time_s, trip.time_range_s),
    ):
        if bounds is not None and not bounds[0] <= value <= bounds[1]:
            refuse(f"trips.{trip.name}.{name}", value, f"[{bounds[0]:g}, {bounds[1]:g}]", trip.clause)


def _check_unknown(settings: DerSettings) -> None:
    """Refuse what is enabled although the figures that it needs are not known."""
    data = model_data()
    strange = [name for name in settings.unknown if name not in data.absent]
    if strange:
        refuse("unknown", ", ".join(strange)[:80], "names of settings that may be unknown", "", "drop those")
    for switch, missing in data.off(settings.unknown).items():
        if setting_at(settings, switch):
            names = ", ".join(missing)
            refuse(
                switch,
                "true",
                f"false while {names} is unknown in {settings.rules or 'the rules'}",
                "",
                f"give {names}, or leave {switch} off",
            )


def _check_ranges(settings: DerSettings) -> None:
    for entry in settings.ranges:
        value = setting_at(settings, entry.path)
        if value is None or covers(settings.unknown, entry.path):
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            refuse("ranges", entry.path, "paths of numbers", entry.clause, "mend that path")
        low, high = entry.limits(settings)
        if not entry.holds(value, low, high):
            refuse(entry.path, value, f"[{low:g}, {high:g}]", entry.clause)

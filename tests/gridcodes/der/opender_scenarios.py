"""Scenarios for the comparison with OpenDER, as data: settings, what the grid does, and the step."""

from opender_peer import GridSegment as Seg

WATT, VAR, PF = {"enabled": True}, {"enabled": True}, {"enabled": True}


def volts(*parts, p=0.5, hz=60.0):
    """Segments of constant voltage: (seconds, per unit)."""
    return [Seg(d, v_pu=v, f_hz=hz, p_demand_pu=p) for d, v in parts]


def hertz(*parts, p=0.5):
    """Segments of constant frequency: (seconds, hertz)."""
    return [Seg(d, f_hz=f, p_demand_pu=p) for d, f in parts]


def powers(*parts, v=1.0):
    """Segments of constant demand: (seconds, per unit)."""
    return [Seg(d, v_pu=v, p_demand_pu=p) for d, p in parts]


SWEEP = [
    Seg(4.0, v_pu=1.0, v_end_pu=1.09, p_demand_pu=0.6),
    Seg(8.0, v_pu=1.09, v_end_pu=0.9, p_demand_pu=0.6),
]
SKEW = [
    Seg(1.0, p_demand_pu=0.4),
    Seg(5.0, v_pu=(1.0, 0.93, 1.05), p_demand_pu=0.4),
    Seg(4.0, p_demand_pu=0.4),
]
FAULT = (0.6, -0.7)
QUICK_UV = {"uv1": {"time_s": 3.0, "time_range_s": None}, "uv2": {"time_s": 1.0, "time_range_s": None}}

# name: (category, normal category, settings, segments, step in seconds)
SCENARIOS = {}


def add(name, category, changes, segments, step=0.05, normal="B"):
    SCENARIOS[name] = (category, normal, changes, segments, step)


for cat in ("I", "II", "III"):
    for v in (0.85, 0.75, 0.6, 0.48, 0.35, 0.2):
        add(f"low-{cat}-{v}", cat, {}, volts((0.5, 1.0), (0.6, v), (1.0, 1.0)), 0.02)
    for v in (1.12, 1.16, 1.18):
        add(f"high-{cat}-{v}", cat, {}, volts((0.5, 1.0), (0.6, v), (1.0, 1.0)), 0.02)
    for f in (61.5, 61.9, 58.0, 56.8):
        add(
            f"frequency-{cat}-{f}", cat, {"droop": {"olrt_s": 1.0}}, hertz((1.0, 60.0), (3.0, f), (3.0, 60.0))
        )
for cat in ("I", "II"):
    add(
        f"cease-high-{cat}",
        cat,
        {"ride_through": {"cease_response_s": 0.06}},
        volts((0.5, 1.0), (0.14, 1.22), (1, 1)),
        0.02,
    )

for p in (0.8, -0.8):
    for name, k in (("over", 60.4), ("under", 59.5), ("far-over", 61.1), ("far-under", 58.9)):
        add(f"droop-{name}-{p}", "III", {}, hertz((1.0, 60.0), (8.0, k), (6.0, 60.0), p=p))
add(
    "droop-through-zero",
    "III",
    {"droop": {"droop_under": 0.02, "olrt_s": 0.5}},
    hertz((1, 60), (6, 58.9), (4, 60), p=-0.4),
)
add(
    "droop-ramp",
    "II",
    {},
    [Seg(1, p_demand_pu=0.3), Seg(6, f_hz=60, f_end_hz=61, p_demand_pu=0.3), Seg(5, p_demand_pu=0.3)],
)
add(
    "droop-with-limit",
    "III",
    {"p_limit": {"enabled": True, "limit_pu": 0.4}},
    hertz((2, 60), (5, 59.2), (5, 60), p=0.7),
)
add(
    "droop-with-volt-watt",
    "III",
    {"volt_watt": WATT},
    [
        Seg(2, v_pu=1.07, p_demand_pu=0.9),
        Seg(8, v_pu=1.07, f_hz=60.5, p_demand_pu=0.9),
        Seg(5, v_pu=1.07, p_demand_pu=0.9),
    ],
)
add("droop-off", "III", {"droop": {"enabled": False}}, hertz((1, 60), (3, 60.8), (2, 60)))

for normal in ("A", "B"):
    add(f"volt-var-sweep-{normal}", "III", {"volt_var": VAR}, SWEEP, normal=normal)
    add(
        f"watt-var-{normal}",
        "III",
        {"watt_var": VAR},
        powers((1, 0.1), (6, 0.9), (6, -0.9), (6, 0.3)),
        normal=normal,
    )
    add(
        f"volt-var-step-{normal}",
        "III",
        {"volt_var": {"enabled": True, "olrt_s": 1.0}},
        volts((1, 1), (4, 1.06), (4, 0.93)),
        normal=normal,
    )
add("volt-var-vref", "III", {"volt_var": {"enabled": True, "vref_pu": 1.03}}, SWEEP)
add(
    "volt-var-auto",
    "III",
    {"volt_var": {"enabled": True, "vref_auto": True, "vref_time_s": 300.0}},
    volts((5, 1.0), (60, 1.04), (30, 0.97)),
    0.25,
)
add("volt-var-skew", "III", {"volt_var": VAR}, SKEW)
add(
    "volt-var-positive",
    "III",
    {"volt_var": VAR, "nameplate": {"unbalanced_voltage": "positive sequence"}},
    SKEW,
)
add("volt-var-full-power", "III", {"volt_var": VAR}, volts((1, 1.0), (8, 1.075), (8, 0.93), p=1.0))
add(
    "volt-var-active-first",
    "III",
    {"volt_var": VAR, "priority": "active"},
    volts((1, 1.0), (8, 1.075), (8, 0.93), p=1.0),
)
add(
    "volt-var-active-first-A",
    "III",
    {"volt_var": VAR, "priority": "active"},
    volts((1, 1.0), (8, 1.09), p=1.0),
    normal="A",
)
add("volt-var-charging-full", "III", {"volt_var": VAR}, volts((1, 1.0), (8, 1.075), (8, 0.93), p=-1.0))
add(
    "watt-var-full",
    "III",
    {"watt_var": {"enabled": True, "olrt_s": 1.0}},
    powers((1, 0.2), (5, 1.0), (5, -1.0)),
)
for excitation in ("inject", "absorb"):
    for pf in (0.9, 0.95):
        add(
            f"pf-{pf}-{excitation}",
            "III",
            {"constant_pf": {"enabled": True, "pf": pf, "excitation": excitation}},
            powers((1, 0.3), (5, 1.0), (5, -0.6)),
        )
add(
    "pf-0.8-beyond-rating",
    "III",
    {"constant_pf": {"enabled": True, "pf": 0.8}},
    powers((1, 0.5), (8, 0.8), (8, 1.0)),
)
for q in (0.3, -0.44):
    add(
        f"constant-q-{q}",
        "III",
        {"constant_q": {"enabled": True, "q_pu": q}},
        powers((2, 0.3), (5, 1.0), (5, -0.6)),
    )
add(
    "constant-q-beyond-rating",
    "III",
    {"constant_q": {"enabled": True, "q_pu": 0.6}},
    powers((6, 0.3), (5, 1.0)),
)

for v in (1.05, 1.07, 1.09, 1.099):
    add(f"volt-watt-{v}", "III", {"volt_watt": WATT}, volts((2, 1.0), (12, v), (5, 1.0), p=0.9))
add(
    "volt-watt-to-charging",
    "III",
    {"volt_watt": {"enabled": True, "points": ((1.05, 1.0), (1.1, -0.5))}},
    volts((2, 1.0), (12, 1.098), (5, 1.0), p=0.6),
)
add("volt-watt-quick", "II", {"volt_watt": {"enabled": True, "olrt_s": 0.5}}, SWEEP)
for limit in (0.4, 0.0, -0.3):
    add(
        f"limit-{limit}",
        "III",
        {"p_limit": {"enabled": True, "limit_pu": limit}},
        powers((3, 0.3), (8, 0.9), (4, -0.8)),
    )
add(
    "limit-response",
    "III",
    {"p_limit": {"enabled": True, "limit_pu": 0.5, "response_s": 3.0}},
    powers((3, 0.3), (8, 0.9)),
)
add("demand-ramp", "III", {"nameplate": {"demand_ramp_s": 10.0}}, powers((2, 0.5), (8, -0.5), (5, 1.0)))

for p in FAULT:
    add(f"start-ramp-{p}", "III", {"trips": QUICK_UV}, volts((1, 1), (2, 0.4), (12, 1.0), p=p))
    add(
        f"start-no-ramp-{p}",
        "III",
        {"trips": QUICK_UV, "enter_service": {"ramp_s": 0.0, "delay_s": 2.0}},
        volts((1, 1), (2, 0.4), (6, 1.0), p=p),
    )
add("start-waits", "III", {"trips": QUICK_UV}, volts((1, 1), (2, 0.4), (0.5, 1.0), (0.5, 0.91), (9, 1.0)))
add("start-volt-var", "III", {"trips": QUICK_UV, "volt_var": VAR}, volts((1, 1), (2, 0.4), (12, 1.04)))
add(
    "start-frequency",
    "III",
    {"trips": {"of2": {"time_s": 0.5}}},
    hertz((1, 60), (1, 62.5), (2, 60.2), (8, 60)),
)
for name, v, cat in (("uv2", 0.4, "II"), ("uv1", 0.8, "III"), ("ov1", 1.15, "III"), ("uv2-I", 0.3, "I")):
    quick = {**QUICK_UV, "ov1": {"time_s": 1.5}}
    add(
        f"trip-{name}",
        cat,
        {"trips": {**quick, "ov2": {"time_s": 0.16}}},
        volts((1, 1), (4, v), (1, 1)),
        0.02,
    )
add("trip-uf2", "III", {"trips": {"uf2": {"time_s": 0.5}}}, hertz((1, 60), (1.5, 56.0), (2, 60)), 0.02)
add(
    "trip-of1",
    "III",
    {"trips": {"of1": {"time_s": 2.0, "time_range_s": None}}},
    hertz((1, 60), (3, 61.4), (2, 60)),
)
add("permit-withdrawn", "III", {"enter_service": {"permit_service": False}}, powers((2, 0.5)))

CESSATION = {"momentary_cessation": {"response_s": 0.08, "return_s": 0.1}, "restore": {"ramp_s": 0.4}}
for p in FAULT:
    add(f"cessation-restore-{p}", "III", CESSATION, volts((0.5, 1), (0.6, 0.4), (1.5, 1.0), p=p), 0.02)
add(
    "cessation-off",
    "III",
    {"momentary_cessation": {"enabled": False}},
    volts((0.5, 1), (0.6, 0.4), (1, 1)),
    0.02,
)
add(
    "cessation-II",
    "II",
    {"momentary_cessation": {"enabled": True, "v_low_pu": 0.5, "v_high_pu": 1.1}},
    volts((0.5, 1), (0.3, 0.4), (1, 1)),
    0.02,
)
SUPPORT = {"dynamic_voltage_support": {"enabled": True, "k": 2.0}}
for v in (0.8, 0.6):
    add(f"support-{v}", "II", SUPPORT, volts((0.5, 1), (0.25, v), (1, 1)), 0.01)
add("support-limited", "III", SUPPORT, volts((0.5, 1), (0.5, 0.65), (1, 1), p=0.9), 0.02)
add(
    "support-skew",
    "III",
    SUPPORT,
    [Seg(0.5, p_demand_pu=0.6), Seg(0.5, v_pu=(0.95, 0.7, 0.9), p_demand_pu=0.6), Seg(1, p_demand_pu=0.6)],
    0.02,
)
add(
    "inverter-lag",
    "III",
    {"nameplate": {"inverter_delay_s": 0.05}},
    powers((0.5, 0.2), (0.5, 0.9), (0.5, -0.4)),
    0.01,
)
add("voltage-lag", "III", {"volt_var": VAR, "nameplate": {"voltage_delay_s": 0.5}}, SWEEP)
add("current-limit", "III", {"nameplate": {"current_max_pu": 1.0}}, volts((1, 1), (2, 0.9), p=0.95))
add("single-phase", "III", {"volt_var": VAR, "nameplate": {"phases": 1}}, SWEEP)
add(
    "battery",
    "III",
    {"nameplate": {"soc_capacity_wh": 2000.0}, "soc": {"minimum": 0.1, "maximum": 0.9, "initial": 0.2}},
    powers((15, 1.0), (60, -1.0), (20, 0.4)),
    0.25,
)
add(
    "battery-efficiency",
    "III",
    {"nameplate": {"soc_capacity_wh": 1500.0, "charge_efficiency": 0.9}, "soc": {"initial": 0.8}},
    powers((20, -1.0), (10, 0.7)),
    0.25,
)

"""The laws of vehicle and charger in simulated time: who matches whom, when, and why not."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slac_line import EV, EVSE_A, EVSE_B, MODEM, RULES, Line, failed, matched, randbytes

from v2glab.evidence import InputError, UsageError
from v2glab.links.slac import (
    MESSAGES,
    AttenCharInd,
    AttenCharRsp,
    EvLaw,
    EvseLaw,
    MnbcSoundInd,
    Send,
    SetKeyCnf,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParmCnf,
    SlacParmReq,
    StartAttenCharInd,
    ValidateCnf,
    load_slac_rules,
    nid_of,
)

NMK_A, NMK_B = bytes(range(16)), bytes(range(16, 32))
FLAT_9, FLAT_11, FLAT_30 = (9,) * 58, (11,) * 58, (30,) * 58


def vehicle(rules=RULES, seed=1, **options):
    return EvLaw(rules, EV, MODEM, randbytes(seed), **options)


def charger(mac=EVSE_A, nmk=NMK_A, rules=RULES, pulses=None):
    return EvseLaw(rules, mac, MODEM, nmk, pilot_pulses=pulses)


def test_vehicle_and_charger_match_in_the_time_of_the_standard():
    line = Line([vehicle(), charger()], {EVSE_A: FLAT_9})
    outcomes = line.run()
    ev, evse = matched(outcomes[EV]), matched(outcomes[EVSE_A])
    assert (ev.evse_mac, ev.ev_mac, evse.ev_mac) == (EVSE_A, EV, EV)
    assert (ev.nid, ev.nmk) == (evse.nid, evse.nmk) == (nid_of(NMK_A), NMK_A)
    assert ev.attenuation.value == 9.0
    assert ev.level == "direct"
    assert ev.groups_db == FLAT_9
    assert (ev.others, ev.notes, ev.validated) == ((), (), False)
    assert repr(NMK_A) not in repr(ev)
    # Closed form: 12 pauses of 40 ms between 3 announcements and 10 sounds, 4 exchanges of 2 ms.
    assert line.now_s == pytest.approx(12 * 0.04 + 7 * 1e-3, abs=3e-3)
    assert line.names(EV) == [
        "CM_SLAC_PARM.REQ",
        *["CM_START_ATTEN_CHAR.IND"] * 3,
        *["CM_MNBC_SOUND.IND"] * 10,
        "CM_ATTEN_CHAR.RSP",
        "CM_SLAC_MATCH.REQ",
        "CM_SET_KEY.REQ",
    ]
    assert line.names(EVSE_A) == [
        "CM_SET_KEY.REQ",
        "CM_SLAC_PARM.CNF",
        "CM_ATTEN_CHAR.IND",
        "CM_SLAC_MATCH.CNF",
    ]
    sounds = [m for _, _, _, m in line.sent if isinstance(m, MnbcSoundInd)]
    assert [sound.countdown for sound in sounds] == list(range(9, -1, -1))
    assert len({sound.random for sound in sounds}) == 10


def test_uncertainty_is_that_of_levels_and_of_whole_decibels():
    ev = matched(Line([vehicle(), charger()], {EVSE_A: FLAT_9}).run()[EV])
    half_widths = [RULES.level("tx_halfwidth_db"), RULES.level("rx_halfwidth_db")]
    expected = math.sqrt(sum(h**2 / 3 for h in half_widths) + 1 / (12 * 58))
    assert ev.attenuation.uncertainty == pytest.approx(expected, rel=1e-12)
    assert ev.attenuation.unit == "dB"


def test_same_seed_same_messages():
    runs = [Line([vehicle(seed=7), charger()], {EVSE_A: FLAT_9}) for _ in range(2)]
    for line in runs:
        line.run()
    assert runs[0].sent == runs[1].sent


@pytest.mark.parametrize("first", [EVSE_A, EVSE_B])
def test_the_nearer_of_two_chargers_wins_whoever_answers_first(first):
    chargers = {EVSE_A: charger(EVSE_A, NMK_A), EVSE_B: charger(EVSE_B, NMK_B)}
    order = [chargers.pop(first), *chargers.values()]
    line = Line([vehicle(), *order], {EVSE_A: FLAT_30, EVSE_B: FLAT_9})
    line.run(until_s=5.0)
    ev = matched(line.laws[EV].outcome)
    assert (ev.evse_mac, ev.nmk) == (EVSE_B, NMK_B)
    assert [(r.evse_mac, r.attenuation.value) for r in ev.others] == [(EVSE_A, 30.0)]
    assert line.laws[EVSE_A].outcome is None
    matched(line.laws[EVSE_B].outcome)


def test_the_two_chargers_of_a_real_capture_are_told_apart():
    near, far = (
        tuple(round(v) for v in RULES.channel[name].groups_db)
        for name in ("two_chargers_near", "two_chargers_far")
    )
    line = Line([vehicle(), charger(EVSE_B, NMK_B), charger()], {EVSE_A: near, EVSE_B: far})
    line.run(until_s=5.0)
    ev = matched(line.laws[EV].outcome)
    assert ev.evse_mac == EVSE_A
    # The means that the capture's own reader printed.
    assert ev.attenuation.value == pytest.approx(25.78, abs=0.005)
    assert ev.others[0].attenuation.value == pytest.approx(31.28, abs=0.005)


def test_two_chargers_alike_are_ambiguous_without_a_pilot():
    line = Line([vehicle(), charger(), charger(EVSE_B, NMK_B)], {EVSE_A: FLAT_9, EVSE_B: FLAT_11})
    line.run(until_s=5.0)
    failure = failed(line.laws[EV].outcome)
    assert failure.cause == "ambiguous"
    assert "02:00:00:00:00:5a at 9.0 dB, 02:00:00:00:00:5b at 11.0 dB" in failure.found
    assert "validation" in failure.remedy
    assert "CM_SLAC_MATCH.REQ" not in line.names(EV)


@pytest.mark.parametrize("plugged", [EVSE_A, EVSE_B])
def test_validation_decides_between_chargers_alike(plugged):
    ev = vehicle(can_toggle=True)
    chargers = [
        charger(EVSE_A, NMK_A, pulses=lambda: line.pulses[EVSE_A]),
        charger(EVSE_B, NMK_B, pulses=lambda: line.pulses[EVSE_B]),
    ]
    line = Line([ev, *chargers], {EVSE_A: FLAT_9, EVSE_B: FLAT_11}, plugged=plugged)
    line.run(until_s=5.0)
    match = matched(line.laws[EV].outcome)
    assert match.evse_mac == plugged
    assert match.validated
    assert matched(line.laws[plugged].outcome).validated


def test_validation_that_nobody_sees_is_a_failure():
    line = Line([vehicle(can_toggle=True, always_validate=True), charger(pulses=lambda: 0)], {EVSE_A: FLAT_9})
    line.run(until_s=5.0)
    failure = failed(line.laws[EV].outcome)
    assert failure.cause == "validation_failed"
    assert "result 3, 0 toggles counted" in failure.found


def test_a_charger_that_needs_no_validation_is_taken_when_it_is_the_only_one():
    line = Line([vehicle(can_toggle=True, always_validate=True), charger()], {EVSE_A: FLAT_9})
    match = matched(line.run()[EV])
    assert not match.validated
    assert match.notes == ("the charger holds validation for unnecessary",)


def test_validation_needs_a_pilot():
    with pytest.raises(UsageError, match="without a control pilot"):
        vehicle(always_validate=True)


def test_silence_is_named_after_the_retries():
    line = Line([vehicle()])
    failure = failed(line.run()[EV])
    assert (failure.cause, failure.timer) == ("no_answer", "TT_match_response")
    assert line.now_s == pytest.approx(3 * 0.2)
    assert line.names(EV) == ["CM_SLAC_PARM.REQ"] * 3


def test_a_lost_request_is_repeated():
    lost = [SlacParmReq, SlacMatchReq, AttenCharInd]

    def lose(source, destination, message):
        if type(message) in lost:
            lost.remove(type(message))
            return True
        return False

    line = Line([vehicle(), charger()], {EVSE_A: FLAT_9}, lose)
    matched(line.run()[EV])
    assert not lost
    assert 0.6 < line.now_s - 12 * 0.04 < 0.65  # three waits of TT_match_response


def test_the_confirmation_is_repeated_when_it_was_lost():
    lost = [SlacMatchCnf]

    def lose(source, destination, message):
        return type(message) in lost and lost.pop() is not None

    line = Line([vehicle(), charger()], {EVSE_A: FLAT_9}, lose)
    line.run()
    matched(line.laws[EV].outcome)


def test_no_profiles_no_results():
    line = Line([vehicle(), charger()], {})
    line.run(until_s=5.0)
    failure = failed(line.laws[EV].outcome)
    assert (failure.cause, failure.timer) == ("no_results", "TT_EV_atten_results")
    (inner,) = line.laws[EVSE_A].failures
    assert (inner.cause, inner.timer) == ("no_sounds", "TT_EVSE_match_MNBC")
    assert "10 sounds heard" in inner.found


def test_too_few_sounds_are_no_basis():
    heard = []

    def lose(source, destination, message):
        heard.append(1) if isinstance(message, MnbcSoundInd) else None
        return isinstance(message, MnbcSoundInd) and len(heard) > 7

    line = Line([vehicle(), charger()], {EVSE_A: FLAT_9}, lose)
    line.run(until_s=5.0)
    failure = failed(line.laws[EV].outcome)
    assert failure.cause == "too_few_sounds"
    assert "7 by 02:00:00:00:00:5a" in failure.found
    # The charger gives up listening after TT_EVSE_match_MNBC and reports what it has.
    reported = next(t for t, _, _, m in line.sent if isinstance(m, AttenCharInd))
    assert reported == pytest.approx(0.6, abs=0.01)


def test_one_lost_sound_still_matches():
    def lose(source, destination, message):
        return isinstance(message, MnbcSoundInd) and message.countdown == 4

    line = Line([vehicle(), charger()], {EVSE_A: FLAT_9}, lose)
    matched(line.run()[EV])
    assert 0.6 < line.now_s < 0.7


def test_only_cross_talk_is_no_match():
    line = Line([vehicle(), charger()], {EVSE_A: (44,) * 58})
    line.run(until_s=5.0)
    failure = failed(line.laws[EV].outcome)
    assert failure.cause == "cross_talk"
    assert "44.0 dB" in failure.found


def test_uncertainty_counts_against_a_match_at_the_limit():
    u_db = 2 * math.sqrt(2 * 1.5**2 / 3 + 1 / (12 * 58))
    inside, outside = math.floor(40 - u_db), math.ceil(40 - u_db)
    for level, matches in ((inside, True), (outside, False)):
        line = Line([vehicle(), charger()], {EVSE_A: (level,) * 58})
        line.run(until_s=5.0)
        assert isinstance(line.laws[EV].outcome, Exception) is not matches


SIMULATED = (175, 254, 220, 16, 164, 16, 164, 0, 10, 0, 10, *(0,) * 47)


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        (SIMULATED, "4 groups above 120 dB, up to 220"),
        ((254,) * 58, "0 of 58 groups measured"),
        ((254,) * 15 + (9,) * 43, "43 of 58 groups measured"),
    ],
)
def test_a_profile_that_is_no_measurement_is_no_basis(profile, told):
    line = Line([vehicle(), charger()], {EVSE_A: profile})
    line.run(until_s=5.0)
    failure = failed(line.laws[EV].outcome)
    assert failure.cause == "unusable_profile"
    assert told in failure.found


def test_a_sentinel_does_not_enter_the_mean():
    profile = (254,) * 4 + (10, 12) * 27
    match = matched(Line([vehicle(), charger()], {EVSE_A: profile}).run()[EV])
    assert match.attenuation.value == 11.0
    assert match.level == "potential"


@pytest.mark.parametrize(("result", "said"), [(7, "result 7"), (None, "no answer")])
def test_a_modem_that_takes_no_key_is_named(result, said):
    outcome = Line([charger()], key_result=result).run()[EVSE_A]
    failure = failed(outcome)
    assert failure.cause == "set_key"
    assert said in failure.found


def test_both_results_of_real_modems_count_as_success():
    for result in (0, 1):
        matched(Line([vehicle(), charger()], {EVSE_A: FLAT_9}, key_result=result).run()[EV])


def test_a_charger_that_nobody_asks_says_so():
    line = Line([charger()])
    failure = failed(line.run()[EVSE_A])
    assert (failure.cause, failure.timer) == ("no_request", "TT_EVSE_SLAC_init")
    assert line.now_s == pytest.approx(50.0, abs=0.01)


@pytest.mark.parametrize(
    ("last", "timer", "after_s"),
    [
        (SlacParmReq, "TT_match_sequence", 0.4),
        (StartAttenCharInd, "TT_EVSE_match_MNBC", 0.6),
        (AttenCharRsp, "TT_EVSE_match_session", 10.0),
    ],
)
def test_a_vehicle_that_goes_silent_is_named_by_timer(last, timer, after_s):
    order = [SlacParmReq, StartAttenCharInd, MnbcSoundInd, AttenCharRsp, SlacMatchReq]
    gone = order[order.index(last) + 1 :]
    line = Line([vehicle(), charger()], {EVSE_A: FLAT_9}, lambda s, d, m: type(m) in gone)
    line.run(until_s=20.0)
    (failure,) = line.laws[EVSE_A].failures
    assert failure.timer == timer
    assert failed(line.laws[EV].outcome).cause in ("no_results", "no_match")


def test_a_charger_that_breaks_off_is_named():
    line = Line([vehicle(), charger()], {EVSE_A: FLAT_9}, lambda s, d, m: isinstance(m, SlacMatchReq))
    line.run(until_s=5.0)
    failure = failed(line.laws[EV].outcome)
    assert (failure.cause, failure.timer) == ("no_match", "TT_match_response")


def test_identity_that_does_not_follow_from_the_key_is_noted():
    ev = vehicle()
    line = Line([ev, charger()], {EVSE_A: FLAT_9})
    line.laws[EVSE_A]._nid = b"\1" * 7
    match = matched(line.run()[EV])
    assert match.notes == ("the network identity does not follow from the key",)


def test_floods_of_vehicles_are_bounded():
    law = charger()
    law.start(0.0)
    law.receive(0.001, MODEM, SetKeyCnf(0))
    for k in range(100):
        law.receive(0.002, bytes((2, 0, 0, 0, 1, k)), SlacParmReq(bytes((k,) * 8)))
    assert len(law._sessions) == RULES.number("most_sessions")
    law.tick(0.5)
    assert not law._sessions  # TT_match_sequence has cleared them


def test_a_vehicle_that_begins_anew_gives_up_its_earlier_run():
    law = charger()
    law.start(0.0)
    for k in range(20):
        answer = law.receive(0.001 * k, EV, SlacParmReq(bytes((k,) * 8)))
        assert [type(a.message) for a in answer] == [SlacParmCnf]
    assert len(law._sessions) == 1


def test_an_excessive_wish_for_sounds_is_left_out():
    ev = vehicle()
    ev.start(0.0)
    for sounds in (0, 51):
        assert ev.receive(0.01, EVSE_A, SlacParmCnf(ev.run_id, EV, num_sounds=sounds)) == []
    assert len(ev.notes) == 2
    assert ev.phase == "asking"


def _any_message(kind):
    def values(field):
        if field.kind == "int":
            return st.integers(0, 4)
        if field.kind == "groups":
            return st.lists(st.integers(0, 255), min_size=1, max_size=60).map(tuple) | st.just(FLAT_9)
        return st.sampled_from([bytes(field.size), b"\1" * field.size])

    kept = [field for field in kind.FIELDS if field.kind != "fixed"]
    return st.builds(kind, **{field.name: values(field) for field in kept})


STRANGE = st.one_of([_any_message(kind) for kind in MESSAGES.values()])


@settings(max_examples=25, deadline=None)
@given(st.data(), st.booleans())
def test_strange_messages_at_any_time_do_no_harm(data, as_vehicle):
    """Messages of other runs, out of order, from anywhere: no exception, the run still ends by its timers."""
    law = vehicle(can_toggle=True) if as_vehicle else charger(pulses=lambda: 0)
    real = {"run_id": getattr(law, "run_id", b"\1" * 8), "forwarding_sta": EV, "source_address": EV}
    now_s = 0.0
    law.start(now_s)
    for _ in range(data.draw(st.integers(0, 25))):
        now_s += data.draw(st.sampled_from([0.0, 0.001, 0.05, 0.3]))
        while law.outcome is None and law.deadline_s is not None and law.deadline_s <= now_s:
            law.tick(now_s)
        message = data.draw(STRANGE)
        if data.draw(st.booleans()):
            own = {name: value for name, value in real.items() if hasattr(message, name)}
            message = type(message)(**{**vars(message), **own})
        actions = law.receive(now_s, data.draw(st.sampled_from([EVSE_A, EVSE_B, EV, MODEM])), message)
        assert all(isinstance(a.message, tuple(MESSAGES.values())) for a in actions if isinstance(a, Send))
    for _ in range(500):
        if law.outcome is not None:
            break
        now_s = max(law.deadline_s, now_s)
        law.tick(now_s)
    assert law.outcome is not None
    assert now_s < 120


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.0, 0.25))
def test_whatever_is_lost_a_match_is_right_or_a_failure_named(seed, share):
    draw = random.Random(seed)
    laws = [vehicle(seed=seed), charger(), charger(EVSE_B, NMK_B)]
    line = Line(laws, {EVSE_A: FLAT_9, EVSE_B: FLAT_30}, lambda s, d, m: draw.random() < share)
    line.run(until_s=30.0)
    outcome = line.laws[EV].outcome
    if isinstance(outcome, Exception):
        assert outcome.cause in RULES.failure
        assert outcome.remedy == RULES.failure[outcome.cause].remedy
    else:
        # With the nearer charger's report lost the farther may match: its level tells.
        assert outcome.attenuation.value == {EVSE_A: 9.0, EVSE_B: 30.0}[outcome.evse_mac]
        assert outcome.nmk == {EVSE_A: NMK_A, EVSE_B: NMK_B}[outcome.evse_mac]


def test_late_validation_answers_are_left_alone():
    ev = vehicle()
    ev.start(0.0)
    assert ev.receive(0.1, EVSE_A, ValidateCnf(0, 1)) == []


def test_rules_are_read_strictly(tmp_path):
    path = tmp_path / "other.toml"
    for text in ("[timer]\n", "no toml", 'standard = "x"\nunknown = 1\n'):
        path.write_text(text)
        with pytest.raises(InputError, match=r"other\.toml"):
            load_slac_rules.__wrapped__(path)
    with pytest.raises(InputError, match=r"missing\.toml"):
        load_slac_rules.__wrapped__(tmp_path / "missing.toml")
    with pytest.raises(InputError, match="no timer 'TT_nothing'"):
        RULES.time_s("TT_nothing")
    with pytest.raises(InputError, match="no timer 'TT_nothing'"):
        RULES.with_times(TT_nothing=1.0)
    for value in (-1.0, math.nan, "x"):
        with pytest.raises(InputError, match="0 to 3600 s"):
            RULES.with_times(TT_match_response=value)
    assert RULES.with_times(set_key=1.5).time_s("set_key") == 1.5
    assert RULES.time_s("set_key") == 0.5


def test_unverified_numbers_say_so():
    assert {RULES.threshold[n].confidence for n in ("direct_db", "potential_db", "limit_db")} == {
        "unverified"
    }
    assert {n for n, t in RULES.timer.items() if t.confidence == "confirmed"} == {
        "TT_match_response",
        "TT_EVSE_match_MNBC",
        "TT_EV_atten_results",
        "TT_EVSE_match_session",
    }

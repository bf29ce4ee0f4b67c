from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.book import SHIPPED
from pipeline.alerts.evaluate import LOST_AFTER_S, CallState, Event, Passed, Spoken, advance, overlap_s
from pipeline.alerts.reading import read
from pipeline.calls import Alert, Sentence, SpeakerRole, Word
from tests.alerts.calls import CALL_ID, START, at, play, rules, said

UNHAPPY = rules("  - {name: low, when: {mood_below: -0.4, for_s: 10}, cooldown_s: 60}")
ANGRY = rules("  - {name: row, when: {negative_in_a_row: 3}, cooldown_s: 0}")
SILENT = rules("  - {name: quiet, when: {silence_s: 30}, cooldown_s: 0}")
BOTH = rules("  - {name: both, when: {talk_over_s: 2, within_s: 20}, cooldown_s: 0}")


def test_a_low_mood_must_last() -> None:
    low = said(0, polarity=-0.9)
    assert play(UNHAPPY, [low]) == []
    assert play(UNHAPPY, [low, Passed(at(11.9))]) == []
    (alert,) = play(UNHAPPY, [low, Passed(at(12))])
    assert (alert.rule, alert.severity, alert.index, alert.at) == ("low", "warning", 0, at(12))
    assert alert.message == "The customer has been unhappy for 10 s (mood −0.90)."


def test_a_mood_that_recovers_starts_anew() -> None:
    events: list[Passed | Sentence] = [
        said(0, polarity=-0.9),
        said(1, polarity=0.9),
        said(2, polarity=0.9),
        Passed(at(13)),
    ]
    assert play(UNHAPPY, events) == []


def test_the_agents_mood_does_not_count_and_an_unknown_speakers_does() -> None:
    assert play(UNHAPPY, [said(0, polarity=-0.9, speaker="agent"), Passed(at(20))]) == []
    assert len(play(UNHAPPY, [said(0, polarity=-0.9, speaker="unknown"), Passed(at(20))])) == 1


def test_negative_sentences_in_a_row_are_the_customers_only() -> None:
    bad = [said(n, polarity=-0.8) for n in range(5)]
    assert [alert.index for alert in play(ANGRY, bad)] == [2, 3, 4]
    assert play(ANGRY, [bad[0], bad[1], said(2, polarity=0.0), bad[3], bad[4]]) == []
    agent = said(1, polarity=0.9, speaker="agent")
    assert [alert.index for alert in play(ANGRY, [bad[0], agent, bad[2], bad[3]])] == [3]
    # A sentence that nobody rated neither counts nor breaks the row.
    assert [a.index for a in play(ANGRY, [bad[0], bad[1], said(2, polarity=None), bad[3]])] == [3]


def test_a_rule_rests_after_it_fired() -> None:
    resting = [replace(rule, cooldown_s=5.0) for rule in ANGRY]
    assert [alert.index for alert in play(resting, [said(n, polarity=-0.8) for n in range(8)])] == [2, 4, 6]


def test_silence_fires_once_and_anew_after_somebody_spoke() -> None:
    events: list[Passed | Sentence] = [
        said(0),
        *(Passed(at(second)) for second in range(3, 100)),
        said(1, start_s=100),
        Passed(at(140)),
    ]
    assert [alert.at for alert in play(SILENT, events)] == [at(32), at(140)]
    assert play(SILENT, events)[0].index is None


def test_a_call_that_nobody_answers_is_silent_from_its_beginning() -> None:
    assert [alert.at for alert in play(SILENT, [Passed(at(29)), Passed(at(30))])] == [at(30)]


def test_a_call_that_lost_its_writer_is_not_silent() -> None:
    assert play(SILENT, [said(0), Passed(at(2 + LOST_AFTER_S))]) == []


def test_talking_over_each_other_adds_up_within_the_window() -> None:
    one, two = said(0, start_s=0, end_s=3), said(1, speaker="agent", start_s=2, end_s=5)
    three = said(2, start_s=4, end_s=8)
    assert play(BOTH, [one, two]) == []
    (alert,) = play(BOTH, [one, two, three])
    assert alert.message == "Both sides spoke at once for 2.0 s within 20 s."
    late = said(2, start_s=4, end_s=30)  # the first overlap has left the window
    assert play(BOTH, [one, two, late]) == []


def test_pauses_between_words_are_not_speech() -> None:
    words = (Word("Well", 0, 1), Word("then", 9, 10))
    spread = replace(said(0, start_s=0, end_s=10), words=words)
    inside = said(1, speaker="agent", start_s=2, end_s=8)
    assert play(BOTH, [spread, inside]) == []
    assert len(play(BOTH, [replace(spread, words=()), inside])) == 1
    assert overlap_s([(1, 0, 4), (2, 1, 3), (2, 3.5, 9), (1, 2, 3)], 2) == 1 + 1 + 0.5


def test_words_of_the_agent_and_of_the_customer() -> None:
    given_rules = rules(
        "  - {name: policy, when: {says: [i guarantee], who: agent}, message: Out of policy}\n"
        "  - {name: boss, when: {asks_for_supervisor: true}}"
    )
    text = "I guarantee it. I want to speak to your manager!"
    assert [a.rule for a in play(given_rules, [said(0, text)])] == ["boss"]
    (alert,) = play(given_rules, [said(0, text, speaker="agent")])
    assert (alert.rule, alert.message) == ("policy", "Out of policy")
    (alert,) = play(given_rules, [said(0, text)])
    assert alert.message == "The customer asks for a supervisor: “speak to your manager”."


BACK = "I want my money back."
REFUND = rules(f"  - {{name: back, when: {{who: customer, means: [{BACK}, I would like a refund.], closeness: 0.6}}}}")


def near(sentence: Sentence, found: dict[str, float]) -> list[Alert]:
    state, alerts = advance(CallState(CALL_ID, START), Spoken(sentence, at(2), found), REFUND)
    assert advance(state, Spoken(sentence, at(2), found), REFUND) == (state, ())
    return list(alerts)


def test_a_sentence_that_is_near_enough_means_the_rule() -> None:
    text = "just refund me already"
    (alert,) = near(said(0, text), {BACK: 0.6, "I would like a refund.": 0.55})
    assert (alert.rule, alert.index) == ("back", 0)
    assert alert.message == "The customer says something like “I want my money back” (closeness 0.60)."
    assert near(said(0, text), {BACK: 0.59}) == []
    assert near(said(0, text), {}) == []  # nobody embedded it: the encoder is not there
    assert near(said(0, text), {"Another rule's sentence.": 0.99}) == []
    assert near(said(0, text, speaker="agent"), {BACK: 0.9}) == []
    assert len(near(said(0, text, speaker="unknown"), {BACK: 0.9})) == 1


def test_a_rule_that_is_off_stays_quiet() -> None:
    assert play([replace(rule, enabled=False) for rule in ANGRY], [said(n, polarity=-0.8) for n in range(5)]) == []


SPEAKERS: list[SpeakerRole] = ["agent", "customer", "unknown"]
TEXTS = ["Well.", "Get me your supervisor.", "I want to cancel my contract.", "I guarantee it.", "You will be sued."]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    events: list[Event] = []
    now_s = 0.0
    for index in range(draw(st.integers(0, 14))):
        now_s += draw(st.floats(0, 40))
        start_s = max(0.0, now_s - draw(st.floats(0.1, 10)))
        sentence = said(
            index,
            draw(st.sampled_from(TEXTS)),
            speaker=draw(st.sampled_from(SPEAKERS)),
            polarity=draw(st.none() | st.floats(-1, 1)),
            start_s=start_s,
            end_s=now_s,
        )
        events.append(Spoken(sentence, at(now_s)))
        if draw(st.booleans()):
            now_s += draw(st.floats(0, 90))
            events.append(Passed(at(now_s)))
    return events


ALL_RULES = read(SHIPPED.read_text(), SHIPPED.name)


def run(events: list[Event]) -> tuple[CallState, list[Alert]]:
    state = CallState(CALL_ID, START)
    alerts: list[Alert] = []
    for event in events:
        state, found = advance(state, event, ALL_RULES)
        alerts += found
    return state, alerts


@given(histories(), st.data())
def test_replaying_gives_the_same_and_what_is_known_changes_nothing(events: list[Event], data: st.DataObject) -> None:
    state, alerts = run(events)
    assert run(events) == (state, alerts)
    assert len({alert.id for alert in alerts}) == len(alerts)
    # Sentences that come again, as after a crash, make no second alert.
    spoken = [event for event in events if isinstance(event, Spoken)]
    if spoken:
        again = data.draw(st.sampled_from(spoken))
        assert advance(state, again, ALL_RULES) == (state, ())
    # A rule that fired rests.
    for rule in ALL_RULES:
        times = [alert.at for alert in alerts if alert.rule == rule.name]
        assert all((b - a).total_seconds() >= rule.cooldown_s for a, b in pairwise(times))


@given(histories())
def test_time_that_passes_in_smaller_steps_finds_no_less(events: list[Event]) -> None:
    """A rule that held at the end of a pause is found however often the clock ticks in it."""
    coarse = {alert.rule for alert in run(events)[1]}
    fine: list[Event] = []
    for event in events:
        if isinstance(event, Passed) and fine:
            before = fine[-1].at
            fine += [Passed(before + (event.at - before) * step / 4) for step in range(1, 4)]
        fine.append(event)
    assert coarse <= {alert.rule for alert in run(fine)[1]}

"""The watch over a real store, on both databases: what other processes write becomes alerts, once, and on time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.alerts import AlertWatch, book, start
from pipeline.alerts.watch import outbox_folder
from pipeline.calls import Call
from pipeline.settings import Settings
from pipeline.store import Store, open_store
from tests.alerts.calls import live_call, said
from tests.alerts.receivers import PATIENCE_S, web_receiver
from tests.store.postgres import Server

RULES = """\
rules:
  - {name: boss, severity: critical, when: {asks_for_supervisor: true}, cooldown_s: 0}
  - {name: row, when: {negative_in_a_row: 2}, cooldown_s: 3600}
"""
ASKS = "Get me your supervisor."


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'calls.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    book.save(home, RULES)
    return Settings(home=home, database_url=url)


@contextmanager
def watching(settings: Settings) -> Iterator[AlertWatch]:
    with open_store(settings.store_url) as store, closing(start(store, settings)) as watch:
        yield watch


@pytest.fixture
def writer(url: str) -> Iterator[Store]:
    with open_store(url) as store:
        yield store


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def begin(writer: Store, call_id: str = "ca11000000000001") -> Call:
    call = live_call(call_id)
    writer.begin(call)
    return call


def test_a_sentence_reaches_the_webhook_within_two_seconds(settings: Settings, writer: Store) -> None:
    with web_receiver() as receiver, watching(replace(settings, alert_webhook=receiver.url, alert_webhook_secret="s")):
        call = begin(writer)
        ended = time.time()
        writer.append(call.id, [said(0, ASKS)])
        (found,) = receiver.messages(1)
        took_s = time.time() - ended
    assert took_s < 2.0  # the promise itself; usually it takes 0.05 s
    assert (found["rule"], found["severity"], found["sentence"]["text"]) == ("boss", "critical", ASKS)
    assert (found["call"]["queue"], found["call"]["team"]) == ("billing", "north")
    (stored,) = writer.alerts(call.id)
    assert (stored.id, stored.rule, stored.index, stored.verdict) == (found["id"], "boss", 0, None)


def test_alerts_are_in_the_feed(settings: Settings, writer: Store) -> None:
    with watching(settings):
        call = begin(writer)
        number = writer.last_change()
        writer.append(call.id, [said(0, ASKS)])
        until(lambda: any(change.alert for change in writer.changes(number)))


def test_what_was_said_while_nobody_watched_is_looked_at_once(settings: Settings, writer: Store) -> None:
    with web_receiver() as receiver:
        known = replace(settings, alert_webhook=receiver.url)
        with watching(known):
            call = begin(writer)
            writer.append(call.id, [said(0, ASKS), said(1, polarity=-0.9)])
            until(lambda: len(writer.alerts(call.id)) == 1)
        writer.append(call.id, [said(2, polarity=-0.9), said(3, ASKS)])
        with watching(known):
            until(lambda: len(writer.alerts(call.id)) == 3)
        with watching(known):
            writer.append(call.id, [said(4, ASKS)])
            until(lambda: len(writer.alerts(call.id)) == 4)
        assert [a.index for a in reversed(writer.alerts(call.id, rule="boss"))] == [0, 3, 4]
        assert [a.index for a in writer.alerts(call.id, rule="row")] == [2]  # the state goes over the restart
        assert len({found["id"] for found in receiver.messages(4)}) == 4


def test_a_kill_between_sending_and_storing_makes_no_second_alert(settings: Settings, writer: Store) -> None:
    """As a killed process leaves it: the place it had read to is before what it has stored."""
    with watching(settings):
        call = begin(writer)
        until(lambda: (outbox_folder(settings) / "cursor.json").exists())
        before = (outbox_folder(settings) / "cursor.json").read_text()
        writer.append(call.id, [said(0, ASKS)])
        until(lambda: len(writer.alerts(call.id)) == 1)
    (outbox_folder(settings) / "cursor.json").write_text(before)
    with watching(settings):
        writer.append(call.id, [said(1, ASKS)])
        until(lambda: len(writer.alerts(call.id)) == 2)
    assert [alert.index for alert in writer.alerts(call.id)] == [1, 0]


def test_recordings_and_second_passes_set_off_nothing(settings: Settings, writer: Store) -> None:
    with watching(settings):
        call = begin(writer)
        writer.append(call.id, [said(0, "Hello.")])
        writer.add(replace(call, status="complete"), [said(0, ASKS), said(1, ASKS)])
        recording = replace(live_call("feed000000000001"), status="complete")
        writer.add(recording, [said(0, ASKS, call_id=recording.id)])
        last = begin(writer, "ca11000000000002")
        writer.append(last.id, [said(0, ASKS, call_id=last.id)])
        writer.finish(last.id, 3.0)  # at once, as when a customer hangs up
        until(lambda: bool(writer.alerts(last.id)))
    assert {alert.call_id for alert in writer.alerts()} == {last.id}


def test_changed_rules_count_at_once_and_broken_ones_leave_the_shipped(
    settings: Settings, writer: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with watching(settings):
        call = begin(writer)
        book.save(settings.home, RULES.replace("name: boss", "name: chief"))
        count = iter(range(1000))
        until(lambda: _says(writer, call, next(count), "chief"))
        book.own_file(settings.home).write_text("rules: [")
        until(lambda: _says(writer, call, next(count), "Asks for a supervisor"))
    assert "the shipped alert rules are in force" in caplog.text


def _says(writer: Store, call: Call, index: int, rule: str) -> bool:
    writer.append(call.id, [said(index, ASKS)])
    time.sleep(0.1)
    return bool(writer.alerts(call.id, rule=rule))


def test_silence_is_noticed_without_any_sentence(settings: Settings, writer: Store) -> None:
    book.save(settings.home, "rules:\n  - {name: quiet, when: {silence_s: 10}}\n")
    # The call began a while ago by its own account; the watch takes it up as it finds it.
    writer.begin(replace(live_call(), started_at=datetime.fromtimestamp(time.time() - 30, UTC)))
    with watching(settings):
        until(lambda: bool(writer.alerts(rule="quiet")))


MEANING = "rules:\n  - {name: back, when: {who: customer, means: [I want my money back.]}, cooldown_s: 3600}\n"
PARAPHRASE = "just refund me already"


def test_a_paraphrase_sets_off_a_rule_on_meaning_and_a_restart_lets_it_rest(settings: Settings, writer: Store) -> None:
    book.save(settings.home, MEANING)
    with watching(settings):
        call = begin(writer)
        writer.append(call.id, [said(0, "The parcel came on Monday."), said(1, PARAPHRASE)])
        until(lambda: bool(writer.alerts(call.id)))
    (alert,) = writer.alerts(call.id)
    assert (alert.rule, alert.index) == ("back", 1)
    assert alert.message.startswith("The customer says something like “I want my money back” (closeness 0.")
    with watching(settings):
        other = begin(writer, "ca11000000000002")
        writer.append(call.id, [said(2, PARAPHRASE)])  # the rule rests on this call
        writer.append(other.id, [said(0, PARAPHRASE, call_id=other.id)])
        until(lambda: bool(writer.alerts(other.id)))
    assert len(writer.alerts(call.id)) == 1


def test_without_the_encoder_only_the_rules_on_meaning_are_off(
    settings: Settings, writer: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    book.save(settings.home, RULES + MEANING.partition("\n")[2])
    with watching(replace(settings, models=tmp_path / "none")):
        call = begin(writer)
        writer.append(call.id, [said(0, PARAPHRASE), said(1, ASKS)])
        until(lambda: bool(writer.alerts(call.id)))
    assert [alert.rule for alert in writer.alerts(call.id)] == ["boss"]
    assert "rules on meaning (`means`) are off" in caplog.text


def test_an_outage_of_the_database_loses_no_alert(tmp_path: Path, postgres: Server) -> None:
    from sqlalchemy import make_url

    url = postgres.database()
    name = make_url(url).database
    home = tmp_path / "home"
    book.save(home, RULES)
    with web_receiver() as receiver, watching(Settings(home=home, database_url=url, alert_webhook=receiver.url)):
        with open_store(url) as writer:
            call = begin(writer)
            writer.append(call.id, [said(0, ASKS)])
            receiver.wait(1)
        postgres.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        time.sleep(0.5)
        postgres.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        with open_store(url) as writer:
            writer.append(call.id, [said(1, ASKS)])
            until(lambda: len(writer.alerts(call.id)) == 2)
        assert [found["sentence"]["index"] for found in receiver.messages(2)] == [0, 1]

"""Migrations take blank databases and old ones to the tables of today, once, whole, and for everybody at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.calls import (
    Alert,
    Call,
    Conversation,
    Intent,
    Label,
    Note,
    Performed,
    Sentence,
    SentenceClock,
    Sentiment,
    Slot,
    SuggestionMark,
    Turn,
    TurnLabel,
    Word,
)
from pipeline.errors import ConfigError, OvertoneError
from pipeline.store import open_store, tables
from pipeline.store.database import Database
from pipeline.store.migrations import FOLDER, HEAD, TABLE, bring_to_head
from pipeline.store.queries import Agreement, GivenLabel
from tests.store.samples import a_call, an_alert, conversation, sentiment

MORNING = datetime(2025, 1, 2, 3, 5, tzinfo=UTC)

# What the first Overtone wrote; never change it, later code must still read it.
FIRST_ROWS = (
    "UPDATE counter SET value = 4",
    """INSERT INTO calls (id, source, started_at, day, duration_s, agent, customer, speakers, status, attributes,
       stored_at, revision, sentences, negative, neutral, positive, mood, curves) VALUES ('0ld', 'old.wav',
       '2025-01-02 03:04:05.000006', '2025-01-02', 7.5, 'Ada', NULL, '["agent","customer"]', 'complete', '{"q":"é"}',
       '2025-01-02 04:00:00.000000', 0, 1, 1, 0, 0, -0.75, '{"everybody":[1,[[-0.75,1]]],"customer":[1,[[-0.75,1]]]}')
    """,
    """INSERT INTO sentences (number, call_id, revision, idx, channel, speaker, text, start_s, end_s, recogniser,
       created_at, words) VALUES (1, '0ld', 0, 0, 2, 'customer', 'It broke.', 0.5, 1.5, 'w@1',
       '2025-01-02 04:00:00.000000', '[["It",0.5,0.75,0.5],["broke.",0.75,1.5,null]]')""",
    """INSERT INTO predictions (sentence, kind, model, current, label, scores, slots, created_at) VALUES
       (1, 'sentiment', 's@1', '1', 'negative', '{"negative":0.8,"neutral":0.15,"positive":0.05}', NULL,
       '2025-01-02 04:00:00.000000')""",
    "INSERT INTO events (number, kind, call_id, at) VALUES (2, 'stored', '0ld', '2025-01-02 04:00:00.000000')",
    """INSERT INTO labels (number, call_id, revision, idx, field, value, reviewer, at, stored_at) VALUES
       (4, '0ld', 0, 0, 'sentiment', 'neutral', 'ann', '2025-01-03 00:00:00.000000', '2025-01-03 00:00:00.000000')""",
)
# What the second schema added; never change it either.
SECOND_ROWS = (
    "UPDATE counter SET value = 6",
    """INSERT INTO clocks (sentence, at, spoken_at, heard_at, labelled_at, stored_at, sent_at, painted_at) VALUES
       (1, '2025-01-02 03:05:00.000000', '2025-01-02 03:05:00.000000', NULL, NULL, NULL, NULL, NULL)""",
    """INSERT INTO alerts (number, id, call_id, idx, rule, severity, message, at, stored_at) VALUES (5, 'a1', '0ld',
       NULL, 'angry', 'info', 'Look!', '2025-01-02 03:05:00.000000', '2025-01-02 03:05:00.000000')""",
    """INSERT INTO verdicts (alert, verdict, reviewer, at) VALUES (5, 'right', 'ann', '2025-01-03 00:00:00.000000')""",
    """INSERT INTO notes (number, call_id, at_s, text, flagged, author, at, stored_at) VALUES (6, '0ld', 0.5, 'Hm.',
       '1', 'ann', '2025-01-03 00:00:00.000000', '2025-01-03 00:00:00.000000')""",
    """INSERT INTO conversations (id, started_at, channel, person, ended_at, attributes, turns, errors, lowest_score)
       VALUES ('c1', '2025-01-02 03:04:05.000006', 'phone', '+1', NULL, '{"q":"é"}', 1, 0, 0.5)""",
    """INSERT INTO turns (conversation_id, number, at, event, user_text, intent, score, slots, model, path, state,
       actions, replies, timings_ms, recogniser, error) VALUES ('c1', 1, '2025-01-02 03:05:00.000000', 'said',
       'In Oslo.', 'weather', 0.5, '[["location","oslo","Oslo",3,7,0.5]]', 'i@1', '[["a","b","c"]]', 'c',
       '[{"name":"w","request":{"k":["x"],"l":"y"},"status":"ok","answer":"Rain.","source":"s",
       "as_of":"2025-01-02T03:00:00+00:00"}]', '["Rain."]', '{"total":1.5}', 'w@1', '')""",
    """INSERT INTO turn_labels (conversation_id, turn, intent, slots, reviewer, at) VALUES ('c1', 1, 'rain', '[]',
       'ann', '2025-01-03 00:00:00.000000')""",
)
# What the third schema added; never change it either.
THIRD_ROWS = (
    "UPDATE counter SET value = 7",
    """INSERT INTO predictions (sentence, kind, model, current, label, scores, slots, created_at, margin) VALUES
       (1, 'sentiment', 's@2', '0', 'positive', '{"negative":0.1,"neutral":0.2,"positive":0.7}', NULL,
       '2025-01-02 04:00:00.000000', 0.5)""",
    """INSERT INTO labels (number, call_id, revision, idx, field, value, reviewer, at, stored_at, said) VALUES
       (7, '0ld', 0, 0, 'sentiment', 'positive', 'bob', '2025-01-03 00:00:00.000000', '2025-01-03 00:00:00.000000',
       '[["s@1","negative",{"negative":0.8,"neutral":0.15,"positive":0.05}]]')""",
    "INSERT INTO retractions (label, at) VALUES (4, '2025-01-03 00:00:00.000000')",
    "INSERT INTO second_opinions (sentence, reviewer, at) VALUES (1, 'bob', '2025-01-03 00:00:00.000000')",
)
# What the fourth schema added; never change it either.
FOURTH_ROWS = (
    "UPDATE counter SET value = 8",
    """INSERT INTO verdicts (alert, verdict, reviewer, at, change, stored_at) VALUES (5, 'wrong', 'bob',
       '2025-01-03 00:00:00.000000', 8, '2025-01-03 00:00:01.000000')""",
    """INSERT INTO suggestion_marks (call_id, idx, text, used, agent, at) VALUES ('0ld', 0, 'Say sorry.', '1', 'Ada',
       '2025-01-03 00:00:00.000000')""",
)
INTENT = """INSERT INTO predictions (sentence, kind, model, current, label, scores, slots, created_at) VALUES
    (1, 'intent', 'i@1', '1', 'help', '{"help":0.5}', '[]', '2025-01-02 04:00:00.000000')"""
LATER = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "%s"

def upgrade() -> None:
    op.create_table("moons", sa.Column("id", sa.Integer, primary_key=True))
    with op.batch_alter_table("calls") as calls:
        calls.add_column(sa.Column("moon", sa.Text))
        calls.alter_column("source", nullable=True)
    %s
"""


@pytest.fixture
def blank(blank_url: str) -> Iterator[Database]:
    """A database without tables."""
    with closing(Database(blank_url)) as database:
        yield database


def with_a_later_migration(tmp_path: Path, last: str = "pass") -> Path:
    """A copy of our migrations with one more, as a later Overtone would bring it."""
    folder = tmp_path / "later 100%"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "v9999_later.py").write_text(LATER % (HEAD, last))
    return folder


def test_the_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [HEAD]
    assert sorted(revision.revision for revision in script.walk_revisions())[-1] == HEAD


def test_the_migrations_make_the_tables_of_the_code(blank: Database) -> None:
    bring_to_head(blank)
    with blank.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": TABLE})
        assert compare_metadata(context, tables.metadata) == []


def test_running_again_does_nothing(blank: Database) -> None:
    bring_to_head(blank)
    bring_to_head(blank)
    with blank.reading() as connection:
        assert connection.execute(text("SELECT value FROM counter")).scalars().all() == [0]


def test_what_the_first_schema_held_is_read_by_the_code_of_today(blank: Database, blank_url: str) -> None:
    bring_to_head(blank, head="0001")
    with blank.writing() as connection:
        for statement in FIRST_ROWS:
            connection.exec_driver_sql(statement)
    with open_store(blank_url) as store:
        started_at = datetime(2025, 1, 2, 3, 4, 5, 6, UTC)
        call = Call("0ld", "old.wav", started_at, 7.5, ("agent", "customer"), "Ada", attributes={"q": "é"})
        assert store.call("0ld") == call
        sentiment = Sentiment("negative", {"negative": 0.8, "neutral": 0.15, "positive": 0.05}, "s@1")
        words = (Word("It", 0.5, 0.75, 0.5), Word("broke.", 0.75, 1.5))
        sentence = Sentence("0ld", 0, 2, "customer", "It broke.", 0.5, 1.5, words, sentiment, None, "w@1")
        assert store.sentences("0ld") == [sentence]
        assert store.calls().rows[0].trend == (-0.75,)
        assert store.labels("0ld") == [Label("0ld", 0, "sentiment", "neutral", "ann", datetime(2025, 1, 3, tzinfo=UTC))]
        assert [change.number for change in store.changes(0)] == [1, 2, 4]
        assert store.add(a_call(), conversation())


def test_the_rows_of_the_first_schema_take_what_the_second_brought(blank: Database, blank_url: str) -> None:
    bring_to_head(blank, head="0001")
    with blank.writing() as connection:
        for statement in FIRST_ROWS:
            connection.exec_driver_sql(statement)
    with open_store(blank_url) as store:
        assert not any((store.alerts(), store.clocks(), store.notes("0ld")))
        assert store.conversations().total == 0
        store.add_alert(an_alert(call_id="0ld"))
        store.record_clocks([SentenceClock("0ld", 0, sent_at=MORNING)])
        assert [change.number for change in store.changes(0)] == [1, 2, 4, 5]
        ((reference, _),) = store.unscored("s@2")
        store.add_predictions("sentiment", "s@2", [(reference, sentiment(0.5, "s@2"))])
        assert store.promote_predictions("s@2") == 1
        assert [score.model for score in store.predictions("0ld", 0)] == ["s@2", "s@1"]
        assert store.calls().rows[0].mood == 0.5
        assert store.delete("0ld")
        assert not any((store.alerts(), store.clocks()))


def test_what_the_second_schema_held_is_read_by_the_code_of_today(blank: Database, blank_url: str) -> None:
    bring_to_head(blank, head="0002")
    with blank.writing() as connection:
        for statement in (*FIRST_ROWS, *SECOND_ROWS):
            connection.exec_driver_sql(statement)
    with open_store(blank_url) as store:
        judged = datetime(2025, 1, 3, tzinfo=UTC)
        assert store.clocks() == [SentenceClock("0ld", 0, spoken_at=MORNING)]
        assert store.alerts() == [Alert("a1", "0ld", None, "angry", "info", "Look!", MORNING, "right", "ann")]
        assert store.notes("0ld") == [Note("0ld", 0.5, "Hm.", True, "ann", judged)]
        started_at = datetime(2025, 1, 2, 3, 4, 5, 6, UTC)
        assert store.conversation("c1") == Conversation("c1", started_at, "phone", "+1", attributes={"q": "é"})
        request: dict[str, str | tuple[str, ...]] = {"k": ("x",), "l": "y"}
        action = Performed("w", request, "ok", "Rain.", "s", datetime(2025, 1, 2, 3, tzinfo=UTC))
        intent = Intent("weather", 0.5, (Slot("location", "oslo", "Oslo", 3, 7, 0.5),), "i@1")
        path = (("a", "b", "c"),)
        turn = Turn(
            "c1", 1, MORNING, "said", "In Oslo.", intent, path, "c", (action,), ("Rain.",), {"total": 1.5}, "w@1"
        )
        assert store.turns("c1") == [turn]
        assert store.turn_labels("c1") == [TurnLabel("c1", 1, "rain", (), "ann", judged)]
        store.judge_alert("a1", "wrong", "bob", MORNING)  # numbers go on after those that are there
        store.add_turn_label(TurnLabel("c1", 1, "snow", (), "bob", MORNING))
        assert store.alerts()[0].verdict == "wrong"
        assert store.turn_labels("c1")[-1].intent == "snow"
        # A verdict from before the feed had them stays outside it; those from now on are in it.
        found = [(change.number, change.kind) for change in store.changes(4)]
        assert found == [(5, "alert"), (6, "note"), (7, "verdict")]


def test_what_the_third_schema_held_is_read_by_the_code_of_today(blank: Database, blank_url: str) -> None:
    bring_to_head(blank, head="0003")
    with blank.writing() as connection:
        for statement in (*FIRST_ROWS, *SECOND_ROWS, *THIRD_ROWS):
            connection.exec_driver_sql(statement)
    with open_store(blank_url) as store:
        said = store.sentences("0ld")[0].sentiment
        assert said is not None
        judged = datetime(2025, 1, 3, tzinfo=UTC)
        mine = Label("0ld", 0, "sentiment", "positive", "bob", judged)
        assert store.labels("0ld") == [mine]
        taken_back, given = store.label_history("0ld", 0)
        assert (taken_back.said, taken_back.retracted_at) == ((), judged)
        assert given == GivenLabel(mine, (said,), None)
        assert store.agreement("s@1", "s@2") == Agreement(1, 0)
        assert store.withdraw_opinion("0ld", 0, "bob")


def test_what_the_fourth_schema_held_is_read_by_the_code_of_today(blank: Database, blank_url: str) -> None:
    bring_to_head(blank, head="0004")
    with blank.writing() as connection:
        for statement in (*FIRST_ROWS, *SECOND_ROWS, *THIRD_ROWS, *FOURTH_ROWS):
            connection.exec_driver_sql(statement)
    with open_store(blank_url) as store:
        judged = datetime(2025, 1, 3, tzinfo=UTC)
        assert store.suggestion_marks() == [SuggestionMark("0ld", 0, "Say sorry.", True, "Ada", judged)]
        (told,) = store.changes(7)
        assert (told.number, told.kind, told.stored_at) == (8, "verdict", judged + timedelta(seconds=1))
        assert told.alert == store.alerts()[0]
        assert store.alerts()[0].verdict == "wrong"


def test_how_sure_the_old_sentiments_are_is_worked_out(blank: Database) -> None:
    bring_to_head(blank, head="0002")
    with blank.writing() as connection:
        for statement in FIRST_ROWS:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(INTENT)
    bring_to_head(blank)
    with blank.reading() as connection:
        found = connection.execute(text("SELECT kind, margin FROM predictions")).all()
        margins = {row.kind: row.margin for row in found}
    assert margins == {"sentiment": pytest.approx(0.65), "intent": None}


def test_a_later_migration_keeps_what_is_there(blank: Database, blank_url: str, tmp_path: Path) -> None:
    with open_store(blank_url) as store:
        store.add(a_call(), conversation())
    bring_to_head(blank, head="9999", folder=with_a_later_migration(tmp_path))
    with blank.reading() as connection:
        assert inspect(connection).has_table("moons")
        assert connection.execute(text("SELECT id, moon FROM calls")).all() == [(a_call().id, None)]
        # SQLite rebuilds the table for this, and the sentences hang on it.
        assert connection.execute(text("SELECT count(*) FROM sentences")).scalar() == len(conversation())


def test_an_older_overtone_refuses_a_newer_database(blank: Database, blank_url: str, tmp_path: Path) -> None:
    bring_to_head(blank, head="9999", folder=with_a_later_migration(tmp_path))
    with pytest.raises(ConfigError) as caught:
        open_store(blank_url)
    assert "has schema 9999, written by a newer Overtone" in str(caught.value)
    assert "update Overtone" in str(caught.value)
    with blank.reading() as connection:
        assert inspect(connection).has_table("moons")


def test_a_migration_that_fails_leaves_the_database_as_it_was(blank: Database, blank_url: str, tmp_path: Path) -> None:
    with open_store(blank_url) as store:
        store.add(a_call(), conversation())
    broken = with_a_later_migration(tmp_path, last='op.execute("SELECT * FROM no_such_table")')
    with pytest.raises((OvertoneError, SQLAlchemyError), match="no_such_table"):
        bring_to_head(blank, head="9999", folder=broken)
    with blank.reading() as connection:
        assert not inspect(connection).has_table("moons")
    with open_store(blank_url) as store:
        assert store.sentences(a_call().id) == conversation()
        store.delete(a_call().id)
        assert store.add(a_call(), conversation())


def test_processes_that_open_a_blank_database_at_once_all_succeed(blank_url: str) -> None:
    script = """
import sys
from pipeline.store import open_store
from tests.store.samples import a_call
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
with open_store(sys.argv[1]) as store:
    store.add(a_call(sys.argv[2]), [])
"""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, blank_url, f"call-{number}"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
    for child in children:
        with child:
            assert child.wait() == 0
    with open_store(blank_url) as store:
        assert store.calls().total == 4

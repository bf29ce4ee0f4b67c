"""The store of calls and conversations: one object over an open database, for many threads and processes at once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Literal, Self

from pipeline.calls import (
    Alert,
    AlertVerdict,
    Call,
    Conversation,
    Intent,
    Label,
    Note,
    Sentence,
    SentenceClock,
    Sentiment,
    SuggestionMark,
    Turn,
    TurnLabel,
)
from pipeline.store import (
    agreement,
    alerts,
    changes,
    clocks,
    conversations,
    labelling,
    notes,
    predictions,
    reading,
    review,
    suggestions,
    turn_labels,
    turns,
    writing,
)
from pipeline.store.database import Database
from pipeline.store.migrations import bring_to_head
from pipeline.store.queries import (
    Agreement,
    CallQuery,
    Change,
    ConversationPage,
    ConversationQuery,
    Disagreement,
    GivenLabel,
    Grouping,
    MoodPoint,
    Page,
    PredictionKind,
    ReviewItem,
    ReviewQuery,
    Role,
)
from pipeline.store.watching import Watcher


def open_store(url: str) -> Store:
    """The store at an SQLAlchemy URL (`sqlite:////folder/file`, `postgresql+psycopg://user@host/database`).

    A missing SQLite file is made with its folder, and the tables are brought to today's schema. Raises ConfigError for
    an address that cannot be used, a driver that is missing or a database from a newer Overtone, and BackendError for
    a database that cannot be reached, read or written.
    """
    database = Database(url)
    try:
        bring_to_head(database)
        return Store(database)
    except BaseException:
        database.close()
        raise


class Store:
    """Calls with their sentences, predictions, labels, clocks, alerts and notes, the feed of what changes in them, and
    the assistant's conversations with their turns and labels.

    Every method is one transaction, and raises BackendError (``retryable`` where later may work) when the database
    fails. Close it, or use it as a context manager.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watcher = Watcher(database)
        self._opened_at = self.last_change()
        self._seen = threading.local()

    @property
    def address(self) -> str:
        """The SQLite file, or the URL of the PostgreSQL database with its password masked."""
        return self._database.address

    def close(self) -> None:
        """Close the connections; a `watch` in another thread returns False at once."""
        self._watcher.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, call: Call, sentences: Iterable[Sentence]) -> bool:
        """True after storing a whole call as complete; False, and nothing done, where it is there already and complete.

        ``sentences`` is read to its end before the transaction starts, so that a slow source holds no lock. Over a live
        call of that id, what is given becomes a new revision: it is what counts from now on, and the live sentences
        stay in the tables. Raises InputError for sentences of another call, indices used twice and values that no
        database can hold (NUL characters, broken Unicode, naive times, infinities).
        """
        return writing.add(self._database, call, sentences)

    def revise(self, call: Call, sentences: Iterable[Sentence]) -> bool:
        """True after a new revision took the place of the call's sentences; False where the call is gone.

        As `add` over a live call, and over a complete one too: for a second pass after the call has ended.
        """
        return writing.add(self._database, call, sentences, revise=True)

    def begin(self, call: Call) -> int:
        """How many sentences the live call has: 0 after starting it, more where one begun before is taken up again.

        Raises InputError for a call that is complete.
        """
        return writing.begin(self._database, call)

    def append(self, call_id: str, sentences: Iterable[Sentence]) -> None:
        """Store more sentences of a live call, all or none; its duration grows to the end of the last.

        Raises InputError where no such call is live, for an index that is stored already, and as `add` does.
        """
        writing.append(self._database, {call_id: sentences})

    def append_all(self, spoken: Mapping[str, Iterable[Sentence]]) -> None:
        """`append` for several calls at once, by their ids: all of it or none, in one transaction."""
        writing.append(self._database, spoken)

    def finish(
        self, call_id: str, duration_s: float | None = None, attributes: Mapping[str, str] | None = None
    ) -> None:
        """Make a live call complete, with its true duration where known; a complete one stays as it is.

        ``attributes`` are added to the call's own. Raises InputError where there is no such call.
        """
        writing.finish(self._database, call_id, duration_s, attributes)

    def delete(self, call_id: str) -> bool:
        """True after deleting a call with all that hangs on it (sentences, labels, alerts ...); False where none is."""
        return writing.remove(self._database, call_id)

    def add_label(self, label: Label) -> None:
        """Store a person's label beside those before it, with what the models say of the sentence now.

        Raises InputError where there is no such sentence and for a sentiment that is none of the three.
        """
        writing.add_label(self._database, label)

    def retract_label(
        self, call_id: str, index: int, reviewer: str, at: datetime, field: Literal["sentiment", "intent"] = "sentiment"
    ) -> Label | None:
        """The reviewer's last label on a sentence, which no longer counts; None where none stands.

        Its row stays, and so does the change in the feed that it was; the label before it counts again.
        """
        return labelling.retract(self._database, call_id, index, field, reviewer, at)

    def label_history(self, call_id: str, index: int) -> list[GivenLabel]:
        """All labels of a sentence, oldest first, those too that were taken back, with what models said at the time."""
        with self._database.reading() as connection:
            return labelling.history(connection, call_id, index)

    def ask_opinion(self, call_id: str, index: int, reviewer: str, at: datetime) -> None:
        """Put a sentence at the head of the other reviewers' queues, until one of them labels it.

        Raises InputError where there is no such sentence and for a reviewer without a name.
        """
        labelling.ask(self._database, call_id, index, reviewer, at)

    def withdraw_opinion(self, call_id: str, index: int, reviewer: str) -> bool:
        """True after taking back what `ask_opinion` stored; False where there was nothing."""
        return labelling.withdraw(self._database, call_id, index, reviewer)

    def review_queue(self, query: ReviewQuery, limit: int = 20) -> list[ReviewItem]:
        """Up to ``limit`` sentences of complete calls that the reviewer has neither labelled nor passed on to others.

        What somebody wants a second opinion on comes first, then what nobody has labelled, then what others have; each
        in the order of the query. Raises InputError for a reviewer without a name and more than 500 sentences.
        """
        with self._database.reading() as connection:
            return review.queue(connection, query, limit)

    def has(self, call_id: str) -> bool:
        """Whether the call with exactly that id is stored and complete."""
        with self._database.reading() as connection:
            return reading.is_complete(connection, call_id)

    def call(self, wanted: str) -> Call:
        """The call whose id is ``wanted``, or the only one whose id starts so; InputError for none or several."""
        with self._database.reading() as connection:
            return reading.call(connection, wanted)

    def sentences(self, call_id: str) -> list[Sentence]:
        """The sentences of the call with exactly that id, words included, by index; InputError without such a call."""
        with self._database.reading() as connection:
            return reading.sentences_of(connection, call_id)

    def labels(self, call_id: str) -> list[Label]:
        """People's labels on the sentences of a call, oldest first; several on one sentence all stand.

        Without those that their reviewer took back.
        """
        with self._database.reading() as connection:
            return reading.labels_of(connection, call_id)

    def calls(self, query: CallQuery | None = None, limit: int = 50, offset: int = 0) -> Page:
        """Calls ``offset`` to ``offset + limit`` of those that match (None: all), and how many match in all."""
        with self._database.reading() as connection:
            return reading.page(connection, query or CallQuery(), limit, offset)

    def people(self, role: Role) -> list[str]:
        """The names of all agents or of all customers, sorted."""
        with self._database.reading() as connection:
            return reading.people(connection, role)

    def moods(
        self,
        by: Grouping,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        agent: str | None = None,
        customer: str | None = None,
        daily: bool = False,
    ) -> list[MoodPoint]:
        """One point per agent, customer or UTC day, by name and then by day; people without a name are left out.

        ``since`` (inclusive) and ``until`` (exclusive) are aware times that bound the calls' starts; ``agent`` and
        ``customer`` narrow the calls; ``daily`` splits each person's point by day.
        """
        with self._database.reading() as connection:
            return reading.moods(connection, by, since=since, until=until, agent=agent, customer=customer, daily=daily)

    def stale_calls(self, older_than: datetime) -> list[Call]:
        """Live calls that began, and whose last sentence was stored, before that aware time; the oldest first.

        They are those whose writer is gone, unless nobody speaks in them.
        """
        with self._database.reading() as connection:
            return reading.stale_calls(connection, older_than)

    def unscored(
        self,
        model: str,
        since: datetime | None = None,
        limit: int = 1000,
        *,
        after: int = 0,
        kind: PredictionKind = "sentiment",
    ) -> list[tuple[int, str]]:
        """Reference and text of up to ``limit`` sentences that ``model`` (name@version) has not looked at.

        Only sentences that count now, of calls started at ``since`` or later, in the order in which they were stored;
        ask again ``after`` the last one's reference.
        """
        with self._database.reading() as connection:
            return predictions.without(connection, model, kind, since, after, limit)

    def add_predictions(self, kind: PredictionKind, model: str, rows: Iterable[tuple[int, Sentiment | Intent]]) -> int:
        """How many predictions by references from `unscored` were stored beside the current ones, never over any.

        ``rows`` is read to its end before the transaction starts. Sentences that are gone and those that ``model`` has
        looked at before are left out. Raises InputError for predictions of another model or kind.
        """
        return predictions.add(self._database, kind, model, rows)

    def promote_predictions(self, model: str) -> int:
        """How many of the predictions of ``model`` became the ones that are shown; the calls' moods follow.

        Sentences that it has not looked at keep what they have. Promoting the model of before takes it back.
        """
        return predictions.promote(self._database, model)

    def predictions(self, call_id: str, index: int) -> list[Sentiment]:
        """All models' sentiments of one sentence, the current one first, then the newest first.

        Raises InputError where there is no such sentence.
        """
        with self._database.reading() as connection:
            return predictions.of(connection, call_id, index)

    def agreement(self, model: str, other: str, since: datetime | None = None) -> Agreement:
        """How often model ``other`` says what ``model`` says, of sentences that show the one and have the other too.

        ``since`` bounds the calls' starts.
        """
        with self._database.reading() as connection:
            return agreement.agreement(connection, model, other, since)

    def disagreements(
        self, model: str, other: str, since: datetime | None = None, limit: int = 20
    ) -> list[Disagreement]:
        """Up to ``limit`` sentences of `agreement` of which the two say something else, the most opposed first."""
        with self._database.reading() as connection:
            return agreement.disagreements(connection, model, other, since, limit)

    def record_clocks(self, given: Iterable[SentenceClock]) -> None:
        """Fill the stages of live sentences that the store has no time for; what it knows stays.

        Sentences that are not stored are left out. It is no change in the feed. Raises InputError for a naive time.
        """
        clocks.record(self._database, given)

    def clocks(
        self, since: datetime | None = None, until: datetime | None = None, call_id: str | None = None
    ) -> list[SentenceClock]:
        """The clocks whose first known stage is at ``since`` or later and before ``until``, in the order of that stage.

        A clock is of a sentence as it came live: its index is not that of what a second pass made of the call.
        """
        with self._database.reading() as connection:
            return clocks.between(connection, since, until, call_id)

    def add_alert(self, alert: Alert) -> None:
        """Store an alert; InputError where there is no such call and for an id used before."""
        alerts.add(self._database, alert)

    def judge_alert(self, alert_id: str, verdict: AlertVerdict, reviewer: str, at: datetime) -> None:
        """Store what a person says of an alert beside what was said before; the last verdict counts.

        Raises InputError where there is no such alert and for a verdict that is neither right nor wrong.
        """
        alerts.judge(self._database, alert_id, verdict, reviewer, at)

    def alerts(
        self,
        call_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        rule: str | None = None,
        limit: int = 200,
    ) -> list[Alert]:
        """Up to ``limit`` alerts with the verdict that counts, newest first; ``since`` and ``until`` bound ``at``."""
        with self._database.reading() as connection:
            return alerts.listed(connection, call_id, since, until, rule, limit)

    def mark_suggestion(self, mark: SuggestionMark) -> None:
        """Store whether an agent used a suggestion, beside what was said before; InputError without such a call."""
        suggestions.mark(self._database, mark)

    def suggestion_marks(
        self,
        call_id: str | None = None,
        agent: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[SuggestionMark]:
        """The last mark on each suggestion, oldest first; ``since`` and ``until`` bound ``at``."""
        with self._database.reading() as connection:
            return suggestions.marks(connection, call_id, agent, since, until)

    def add_note(self, note: Note) -> None:
        """Store a note beside those before it; InputError where there is no such call."""
        notes.add(self._database, note)

    def notes(self, call_id: str) -> list[Note]:
        """The notes on a call, oldest first; none for an unknown call."""
        with self._database.reading() as connection:
            return notes.of(connection, call_id)

    def begin_conversation(self, conversation: Conversation) -> None:
        """Store a conversation without turns; InputError for an id used before."""
        conversations.begin(self._database, conversation)

    def end_conversation(self, conversation_id: str, at: datetime) -> None:
        """Store when a conversation ended; one that has ended stays as it is. InputError where there is none."""
        conversations.end(self._database, conversation_id, at)

    def delete_conversation(self, conversation_id: str) -> bool:
        """True after deleting a conversation with its turns and their labels; False where there is none."""
        return conversations.remove(self._database, conversation_id)

    def conversation(self, wanted: str) -> Conversation:
        """The conversation of that id, or the only one whose id starts so; InputError for none or several."""
        with self._database.reading() as connection:
            return conversations.one(connection, wanted)

    def conversations(
        self, query: ConversationQuery | None = None, limit: int = 50, offset: int = 0
    ) -> ConversationPage:
        """Conversations ``offset`` to ``offset + limit`` of those that match (None: all), and how many match in all."""
        with self._database.reading() as connection:
            return conversations.page(connection, query or ConversationQuery(), limit, offset)

    def add_turn(self, turn: Turn) -> None:
        """Store a turn; it is no change in the feed, which is of calls.

        Raises InputError for an unknown conversation, a number used before and values that no database can hold.
        """
        turns.add(self._database, turn)

    def add_timings(self, conversation_id: str, number: int, timings_ms: Mapping[str, float]) -> None:
        """Add milliseconds by stage to a stored turn; InputError where there is none."""
        turns.add_timings(self._database, conversation_id, number, timings_ms)

    def turns(self, conversation_id: str) -> list[Turn]:
        """The turns of the conversation with exactly that id, by number; InputError without such a conversation."""
        with self._database.reading() as connection:
            return turns.of(connection, conversation_id)

    def turns_between(self, since: datetime, until: datetime) -> list[Turn]:
        """All turns at ``since`` or later and before ``until``, by the conversation's start and the turn's number."""
        with self._database.reading() as connection:
            return turns.between(connection, since, until)

    def add_turn_label(self, label: TurnLabel) -> None:
        """Store a person's label of a turn beside those before it; the last one counts.

        Raises InputError where there is no such turn, for a label without an intent and for slots outside its text.
        """
        turn_labels.add(self._database, label)

    def turn_labels(self, conversation_id: str) -> list[TurnLabel]:
        """People's labels on the turns of a conversation, oldest first; several on one turn all stand."""
        with self._database.reading() as connection:
            return turn_labels.of(connection, conversation_id)

    def turn_labels_between(self, since: datetime, until: datetime) -> list[TurnLabel]:
        """The labels on the turns of `turns_between`, in the order of the turns, oldest label first."""
        with self._database.reading() as connection:
            return turn_labels.between(connection, since, until)

    def last_change(self) -> int:
        """Number of the newest committed change; 0 in a blank store."""
        with self._database.reading() as connection:
            return reading.last_change(connection)

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Up to ``limit`` changes numbered above ``after``, lowest first; ask again from the last one's number.

        None is missed and none comes twice, whatever is written meanwhile. What has since been deleted, or replaced
        by a newer revision, is left out.
        """
        with self._database.reading() as connection:
            return changes.changes(connection, after, limit)

    def watch(self, timeout_s: float, after: int | None = None) -> bool:
        """True as soon as a change above number ``after`` is committed by anyone; False on time-out and on `close`.

        Without ``after`` it is the newest number that this thread's last `watch` saw, at first the newest when the
        store was opened: a commit between two calls is not missed. Raises BackendError when the database fails; the
        next call connects anew.
        """
        known = getattr(self._seen, "number", self._opened_at) if after is None else after
        newest = self._watcher.wait(known, timeout_s)
        if newest is None:
            return False
        self._seen.number = newest
        return True

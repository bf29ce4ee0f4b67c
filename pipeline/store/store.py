"""The store of calls: one object over an open database, safe to use from many threads and processes at once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Self

from pipeline.calls import Call, Label, Sentence
from pipeline.store import changes, reading, writing
from pipeline.store.database import Database
from pipeline.store.migrations import bring_to_head
from pipeline.store.queries import CallQuery, Change, Grouping, MoodPoint, Page, Role
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
    """Calls with their sentences, predictions and labels, and the feed of what changes.

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

    def begin(self, call: Call) -> int:
        """How many sentences the live call has: 0 after starting it, more where one begun before is taken up again.

        Raises InputError for a call that is complete.
        """
        return writing.begin(self._database, call)

    def append(self, call_id: str, sentences: Iterable[Sentence]) -> None:
        """Store more sentences of a live call, all or none; its duration grows to the end of the last.

        Raises InputError where no such call is live, for an index that is stored already, and as `add` does.
        """
        writing.append(self._database, call_id, sentences)

    def finish(self, call_id: str, duration_s: float | None = None) -> None:
        """Make a live call complete, with its true duration where known; a complete one stays as it is.

        Raises InputError where there is no such call.
        """
        writing.finish(self._database, call_id, duration_s)

    def delete(self, call_id: str) -> bool:
        """True after deleting a call with its sentences, predictions and labels; False where there is none."""
        return writing.remove(self._database, call_id)

    def add_label(self, label: Label) -> None:
        """Store a person's label beside those before it.

        Raises InputError where there is no such sentence and for a sentiment that is none of the three.
        """
        writing.add_label(self._database, label)

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
        """People's labels on the sentences of a call, oldest first; several on one sentence all stand."""
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

"""Alerts on calls and what people say of them: every verdict is a row, and the last one counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import Connection, Row, Select, and_, func, insert, select
from sqlalchemy.exc import IntegrityError

from pipeline.calls import Alert, AlertVerdict
from pipeline.errors import InputError
from pipeline.store import rows
from pipeline.store.database import Database
from pipeline.store.listing import within
from pipeline.store.tables import alerts, verdicts
from pipeline.store.writing import existing_call, next_numbers

SEVERITIES = ("info", "warning", "critical")

_newest = verdicts.alias("newest")
# Alerts with the verdict that counts: the columns that `alert_of` reads.
ALERTS: Select[Any] = select(alerts, verdicts.c.verdict, verdicts.c.reviewer).select_from(
    alerts.outerjoin(
        verdicts,
        and_(
            verdicts.c.alert == alerts.c.number,
            verdicts.c.number
            == select(func.max(_newest.c.number)).where(_newest.c.alert == alerts.c.number).scalar_subquery(),
        ),
    )
)

_given = verdicts.alias("given")
# One row a verdict in the feed: its number there, and the alert with the verdict that counts now.
JUDGED: Select[Any] = ALERTS.with_only_columns(
    _given.c.change.label("number"),
    _given.c.stored_at,
    *(column for column in alerts.c if column.name not in ("number", "stored_at")),
    verdicts.c.verdict,
    verdicts.c.reviewer,
).join(_given, _given.c.alert == alerts.c.number)
FED = _given.c.change


def add(database: Database, alert: Alert) -> None:
    """Store an alert; a verdict that it carries is its first.

    Raises InputError where there is no such call, for an id used before and for values that cannot be stored.
    """
    now = datetime.now(UTC)
    row = {**_row(alert), "stored_at": now}
    verdict = None if alert.verdict is None else _verdict_row(alert.id, alert.verdict, alert.reviewer, alert.at)
    with database.writing() as connection:
        number = next_numbers(connection, database, 1)
        existing_call(connection, alert.call_id)
        try:
            connection.execute(insert(alerts), {**row, "number": number})
        except IntegrityError:
            raise InputError(f"there is an alert {alert.id!r} already: give each its own id") from None
        if verdict is not None:
            connection.execute(insert(verdicts), {**verdict, "alert": number})


def judge(database: Database, alert_id: str, verdict: AlertVerdict, reviewer: str, at: datetime) -> None:
    """Store what a person says of an alert beside what was said before; a change, so that open pages hear of it.

    Raises InputError where there is no such alert and for a verdict that is neither right nor wrong.
    """
    row = _verdict_row(alert_id, verdict, reviewer, at)
    known = select(alerts.c.number).where(alerts.c.id == rows.storable(alert_id, "the id of the alert"))
    with database.writing() as connection:
        change = next_numbers(connection, database, 1)
        number = connection.execute(known.with_for_update(read=True, key_share=True)).scalar()
        if number is None:
            raise InputError(f"there is no alert {alert_id!r} in the store: nothing to judge")
        connection.execute(insert(verdicts), {**row, "alert": number, "change": change, "stored_at": datetime.now(UTC)})


def listed(
    connection: Connection,
    call_id: str | None,
    since: datetime | None,
    until: datetime | None,
    rule: str | None,
    limit: int,
) -> list[Alert]:
    """Up to ``limit`` alerts, newest first; what is None narrows nothing, the times bound when a rule fired."""
    if limit < 0:
        raise InputError(f"a list has 0 alerts or more, not {limit}")
    wanted = ALERTS.where(*within(alerts.c.at, since, until))
    if call_id is not None:
        wanted = wanted.where(alerts.c.call_id == rows.storable(call_id, "the id of the call"))
    if rule is not None:
        wanted = wanted.where(alerts.c.rule == rows.storable(rule, "the rule to look for"))
    newest_first = wanted.order_by(alerts.c.at.desc(), alerts.c.number.desc()).limit(limit)
    return [alert_of(row) for row in connection.execute(newest_first)]


def alert_of(row: Row[Any]) -> Alert:
    """The alert in a row of `ALERTS`."""
    return Alert(
        id=row.id,
        call_id=row.call_id,
        index=row.idx,
        rule=row.rule,
        severity=row.severity,
        message=row.message,
        at=row.at,
        verdict=row.verdict,
        reviewer=row.reviewer or "",
    )


def _row(alert: Alert) -> dict[str, Any]:
    what = f"alert {alert.id!r}"
    if not alert.id:
        raise InputError("an alert without an id cannot be stored: give it one")
    if alert.index is not None and alert.index < 0:
        raise InputError(f"{what} is on sentence {alert.index}: indices count from 0")
    return {
        "id": rows.storable(alert.id, f"the id of {what}"),
        "call_id": alert.call_id,
        "idx": alert.index,
        "rule": rows.storable(alert.rule, f"the rule of {what}"),
        "severity": rows.one_of(alert.severity, SEVERITIES, f"the severity of {what}"),
        "message": rows.storable(alert.message, f"the message of {what}"),
        "at": rows.aware(alert.at, f"the time of {what}"),
    }


def _verdict_row(alert_id: str, verdict: str, reviewer: str, at: datetime) -> dict[str, Any]:
    what = f"the verdict on alert {alert_id!r}"
    return {
        "verdict": rows.one_of(verdict, get_args(AlertVerdict), what),
        "reviewer": rows.storable(reviewer, f"the reviewer of {what}"),
        "at": rows.aware(at, f"the time of {what}"),
    }

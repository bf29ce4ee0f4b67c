"""JSON over HTTP with time-outs, retries, a cache in memory, and keys that appear in no log and no message."""

from __future__ import annotations

import json
import logging
import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx2

from fulfillment.errors import ExhaustedError, FulfilmentError, RefusedError, UnavailableError, UnreadableError
from fulfillment.times import utc_now

MOST_BYTES = 4 * 1024 * 1024  # of one answer; the longest forecast has a twentieth of it
MOST_KEPT = 256  # answers in the cache
LONGEST_REST_S = 3600.0  # after it a service that asked for a longer rest is tried once more
_PASSING = (408, 500, 502, 503, 504)  # states that may pass by themselves


@dataclass(frozen=True)
class Service:
    """What an API is called: ``name`` in the log, ``spoken`` by the assistant, ``setting`` where its key stands."""

    name: str  # "WeatherStack"
    spoken: str  # "the weather service"
    setting: str  # "OVERTONE_WEATHER_KEY"


@dataclass(frozen=True)
class Patience:
    """How long to wait for an API; a person is listening, so everything together ends after ``total_s``."""

    attempts: int = 3
    connect_s: float = 1.5
    silence_s: float = 3.0  # between two pieces of an answer
    total_s: float = 5.0  # all attempts and pauses of one question
    first_pause_s: float = 0.2  # doubled from attempt to attempt
    longest_pause_s: float = 1.5  # a longer Retry-After is not waited for


PATIENCE = Patience()


@dataclass(frozen=True)
class Answer:
    """One response; ``body`` is None where it is no JSON object."""

    status: int
    body: Mapping[str, Any] | None
    headers: Mapping[str, str] = field(repr=False)  # names in lower case
    as_of: datetime  # aware, UTC: when it came from the service, also where it comes from the cache now


Judge = Callable[[Answer], FulfilmentError | None]


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    params: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)


class JsonApi:
    """A connection to one API at one base address. Threads may share it; close it when done.

    ``key`` goes into every query as the parameter of its first part (API keys in headers go with each call).
    ``judge`` knows the API's own words for failure; it is asked first, then the HTTP status counts.
    """

    def __init__(
        self,
        service: Service,
        base_url: str,
        *,
        judge: Judge,
        key: tuple[str, str] | None = None,
        patience: Patience = PATIENCE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        _hide_queries()
        self.service = service
        self._judge = judge
        self._secret = dict([key]) if key else {}
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[datetime, Answer]] = OrderedDict()
        self._rest_until = 0.0  # time.monotonic(): until then the API asked not to be called
        self._client = httpx2.Client(
            base_url=base_url,
            headers={"User-Agent": "overtone", "Accept": "application/json"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and forget the answers."""
        self._client.close()
        with self._lock:
            self._kept.clear()

    def get(
        self, path: str, params: Mapping[str, str], *, headers: Mapping[str, str] | None = None, keep_s: float = 0.0
    ) -> Answer:
        """The answer to a GET, from the cache where one not older than ``keep_s`` is there.

        Raises FulfilmentError in one of its kinds.
        """
        name = json.dumps([path, sorted(params.items())])
        with self._lock:
            kept = self._kept.get(name)
            if kept and self._clock() < kept[0]:
                self._kept.move_to_end(name)
                return kept[1]
        answer = self._persist(_Call("GET", path, {**params, **self._secret}, headers or {}))
        if keep_s > 0:
            with self._lock:
                self._kept[name] = (answer.as_of + timedelta(seconds=keep_s), answer)
                self._kept.move_to_end(name)
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
        return answer

    def post_form(self, path: str, form: Mapping[str, str], *, headers: Mapping[str, str]) -> Answer:
        """The answer to a POST of a form; it is never kept. Raises FulfilmentError in one of its kinds."""
        return self._persist(_Call("POST", path, {}, headers, form))

    def _persist(self, call: _Call) -> Answer:
        """Ask until there is an answer, a failure that stays, or no time left."""
        end = time.monotonic() + self._patience.total_s
        wait_s = self._rest_until - time.monotonic()
        if wait_s > 0:
            raise exhausted(self.service, "asked us to wait, and the wait is not over", wait_s=wait_s)
        pause_s = self._patience.first_pause_s
        left = self._patience.attempts
        while True:
            left -= 1
            wanted_s = 0.0
            try:
                answer = self._ask(call, end)
            except httpx2.RequestError as error:
                trouble: FulfilmentError = unavailable(self.service, type(error).__name__)
                trouble.__cause__ = error
            else:
                found = self._judge(answer) or _by_status(self.service, answer)
                if found is None:
                    return answer
                trouble = found
                wanted_s = _wanted_pause(answer, trouble)
                if isinstance(trouble, ExhaustedError):
                    trouble.wait_s = wanted_s or None
            pause_s = max(pause_s, wanted_s)
            if isinstance(trouble, ExhaustedError) and wanted_s > self._patience.longest_pause_s:
                self._rest_until = time.monotonic() + min(wanted_s, LONGEST_REST_S)
            if (
                not isinstance(trouble, UnavailableError | ExhaustedError)
                or not trouble.retryable
                or left <= 0
                or pause_s > self._patience.longest_pause_s
                or time.monotonic() + pause_s >= end
            ):
                raise trouble
            time.sleep(pause_s)
            pause_s *= 2

    def _ask(self, call: _Call, end: float) -> Answer:
        left_s = max(0.01, end - time.monotonic())
        patience = self._patience
        timeout = httpx2.Timeout(min(patience.silence_s, left_s), connect=min(patience.connect_s, left_s))
        raw = bytearray()
        with self._client.stream(
            call.method, call.path, params=call.params, headers=dict(call.headers), data=call.form, timeout=timeout
        ) as response:
            for piece in response.iter_bytes():
                raw += piece
                if len(raw) > MOST_BYTES:
                    raise unreadable(self.service, f"is longer than {MOST_BYTES} bytes")
                if time.monotonic() > end:
                    raise httpx2.ReadTimeout("the answer came too slowly")
        body = None
        with suppress(ValueError, RecursionError):
            parsed = json.loads(bytes(raw), parse_constant=_no_number)
            body = parsed if isinstance(parsed, dict) else None
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, body, found, self._clock())


def unavailable(service: Service, why: str, *, retryable: bool = True) -> UnavailableError:
    """The error of a service that cannot be reached or fails."""
    message = f"{service.name} failed: {why}; try again later, or empty {service.setting}"
    return UnavailableError(message, spoken=f"Sorry, I can't reach {service.spoken} right now.", retryable=retryable)


def exhausted(service: Service, why: str, *, wait_s: float | None = None) -> ExhaustedError:
    """The error of a service that wants to be asked less."""
    return ExhaustedError(
        f"{service.name} {why}; wait, or get a larger plan for {service.setting}",
        spoken=f"Sorry, I've asked {service.spoken} too often just now. Please try again later.",
        wait_s=wait_s,
    )


def refused(service: Service, why: str, *, spoken: str = "") -> RefusedError:
    """The error of a service that does not accept the key, or not for this question."""
    return RefusedError(
        f"{service.name} refused: {why}; check {service.setting}",
        spoken=spoken or f"Sorry, {service.spoken} doesn't let me in, so I can't look that up.",
    )


def unreadable(service: Service, why: str) -> UnreadableError:
    """The error of a service whose answer is not as documented."""
    return UnreadableError(
        f"the answer of {service.name} {why}",
        spoken=f"Sorry, {service.spoken} sent me an answer that I can't read.",
    )


def undocumented(service: Service, error: Exception) -> UnreadableError:
    """The error of an answer without something that the documentation promises; ``error`` is what met its absence."""
    return unreadable(service, f"lacks what its documentation promises ({type(error).__name__})")


def number(value: Any) -> float:
    """A figure of an answer, also where it comes as text. Raises ValueError, TypeError for what is no finite figure."""
    figure = float(value)
    if isinstance(value, bool) or not math.isfinite(figure):
        raise ValueError("not a finite figure")
    return figure


def label(value: object) -> str:
    """A code or type from an answer, fit for a message: short and plain, else "?"."""
    text = str(value)
    return text if re.fullmatch(r"[\w.-]{1,60}", text) else "?"


def _by_status(service: Service, answer: Answer) -> FulfilmentError | None:
    status = answer.status
    if 200 <= status < 300:
        return None if answer.body is not None else unreadable(service, "is not a JSON object")
    if status == 429:
        return exhausted(service, "answered with status 429, too many requests")
    if status in (401, 403):
        return refused(service, f"it answered with status {status}")
    if status in _PASSING:
        return unavailable(service, f"it answered with status {status}")
    return unreadable(service, f"has status {status}")


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _wanted_pause(answer: Answer, trouble: FulfilmentError) -> float:
    """Seconds that the service asks to wait: what the judge read, else Retry-After (RFC 9110, 10.2.3), else 0."""
    if isinstance(trouble, ExhaustedError) and trouble.wait_s:
        return trouble.wait_s
    value = answer.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - answer.as_of).total_seconds())


class _WithoutQuery(logging.Filter):
    """The HTTP library logs whole addresses; their queries hold keys, and places that people asked about."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                value.copy_with(query=None) if isinstance(value, httpx2.URL) else value for value in record.args
            )
        return True


_WITHOUT_QUERY = _WithoutQuery()


def _hide_queries() -> None:
    logging.getLogger("httpx2").addFilter(_WITHOUT_QUERY)  # once: the same filter is not added again

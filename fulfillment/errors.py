"""What can go wrong while an answer is fetched; every error carries a sentence that the assistant can say.

::

    FulfilmentError             ``.spoken`` for the person, ``str()`` for the log, ``.retryable``: may work later
    ├── UnavailableError        the service or database cannot be reached, or fails; retryable
    ├── ExhaustedError          the allowance of calls is used up; ``.wait_s`` says for how long, where it is known
    ├── RefusedError            the key is wrong, or its plan does not include what was asked
    ├── UnreadableError         the answer is not what the service's documentation says
    ├── NotFoundError           the service works, and knows nothing by that name
    │   └── UnknownPlaceError   no city, state or country
    ├── AmbiguousError          it knows several by that name; ``.choices`` tells them apart
    │   └── AmbiguousPlaceError cities, states or countries
    └── OutOfRangeError         the question reaches further than the service can see
"""

from __future__ import annotations

from collections.abc import Sequence


class FulfilmentError(Exception):
    """Base of all errors of this package; the message never holds a key."""

    def __init__(self, message: str, *, spoken: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.spoken = spoken
        self.retryable = retryable


class UnavailableError(FulfilmentError):
    """The service or database cannot be reached, or answers that it fails."""

    def __init__(self, message: str, *, spoken: str, retryable: bool = True) -> None:
        super().__init__(message, spoken=spoken, retryable=retryable)


class ExhaustedError(FulfilmentError):
    """The allowance of calls is used up; ``wait_s`` is None where the service does not say for how long."""

    def __init__(self, message: str, *, spoken: str, wait_s: float | None = None) -> None:
        super().__init__(message, spoken=spoken, retryable=True)
        self.wait_s = wait_s


class RefusedError(FulfilmentError):
    """The service does not accept the key, or the plan behind it does not include the question."""


class UnreadableError(FulfilmentError):
    """The answer cannot be read: not JSON, cut off, or without what the documentation promises."""


class NotFoundError(FulfilmentError):
    """Nothing by that name, or nothing of that kind."""


class UnknownPlaceError(NotFoundError):
    """No city, state or country by that name."""


class AmbiguousError(FulfilmentError):
    """Several by that name; ``choices`` tells them apart in words that can be said."""

    def __init__(self, message: str, *, spoken: str, choices: Sequence[str]) -> None:
        super().__init__(message, spoken=spoken)
        self.choices = tuple(choices)


class AmbiguousPlaceError(AmbiguousError):
    """Several cities, states or countries by that name."""


class OutOfRangeError(FulfilmentError):
    """The question is about a time or an amount that the service cannot see."""

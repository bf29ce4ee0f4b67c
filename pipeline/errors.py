"""The errors of Overtone; every message says what failed, on what, and what to do next.

::

    OvertoneError
    ├── InputError                a file, a row or an argument that people can mend
    ├── ConfigError               a setting is missing, malformed or contradicts another
    └── BackendError              a service or a database failed us; ``.retryable`` says whether later may work
        └── CapabilityAbsent      the service is there and does not offer this call; never retried
"""

from __future__ import annotations


class OvertoneError(Exception):
    """Base of all errors that are shown to a person as one line without a traceback."""


class InputError(OvertoneError):
    """The input cannot be used as it is."""


class ConfigError(OvertoneError):
    """A setting cannot be used as it is; the message names the setting."""


class BackendError(OvertoneError):
    """A service or database did not do its part; the message names its address and the setting that chose it."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class CapabilityAbsent(BackendError):  # noqa: N818 - says what is the case; every error here is an OvertoneError
    """The service has no such call or model (gRPC UNIMPLEMENTED, NOT_FOUND, "not a Riva API model")."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)

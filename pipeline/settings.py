"""The settings of Overtone: one table, one field per environment variable, read in one place.

Nothing else in the project reads the environment. Settings are passed, never global.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import quote

from pipeline.calls import SPEAKER_ROLES, SpeakerRole
from pipeline.errors import ConfigError

EMBEDDED = "embedded"
_PASSWORD = re.compile(r"(://[^:/@]*:).+@")  # in a URL; greedy, since a password may hold an @ itself
_CHOICES = {"weather": ("", EMBEDDED, "weatherstack", "open-meteo"), "units": ("", "metric", "imperial")}
PERSONAL = ("card", "phone", "email", "number")  # what OVERTONE_REDACT can mask
DATA = Path(__file__).resolve().parent.parent / "data"


def _setting(default: Any, help: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"help": help, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """All settings; the variable of field ``asr_uri`` is ``OVERTONE_ASR_URI``, and so on."""

    home: Path = _setting(Path(".overtone"), "folder of the database, the calls' audio and the logs")  # noqa: RUF009
    database_url: str = _setting("", "SQLAlchemy URL, e.g. postgresql+psycopg://me@host/db; empty: SQLite in the home")
    asr_uri: str = _setting(EMBEDDED, "speech recognition: embedded, or host:port of a Riva server")
    nlp_uri: str = _setting(EMBEDDED, "sentiment and language: embedded, or host:port of a Riva server")
    tts_uri: str = _setting(EMBEDDED, "speech synthesis: embedded, or host:port of a Riva server")
    asr_model: str = _setting("", "recogniser for recordings, by its Riva name; empty: the server's choice")
    live_asr_model: str = _setting("", "recogniser for live calls, by its Riva name; empty: the server's choice")
    sentiment_model: str = _setting("sentiment", "text classification model to ask for")
    language: str = _setting("en-US", "language of the calls, BCP-47")
    riva_tls: bool = _setting(False, "use TLS towards a Riva server")
    riva_root_cert: str = _setting("", "PEM file that vouches for the Riva server; empty: the system's")
    riva_client_cert: str = _setting("", "PEM certificate that we show to the Riva server")
    riva_client_key: str = _setting("", "PEM key of that certificate")
    riva_metadata: str = _setting("", "metadata for each Riva call, key=value, comma-separated", secret=True)
    riva_timeout_s: float = _setting(120.0, "longest wait for one answer of a Riva server, in seconds")
    riva_patience_s: float = _setting(20.0, "how long a call that fails for the moment is tried again, in seconds")
    channels: tuple[SpeakerRole, ...] = _setting(("agent", "customer"), "who speaks on the channels of a stereo call")
    serve_host: str = _setting("127.0.0.1", "address `overtone serve` listens on; unix:/path.sock works too")
    serve_port: int = _setting(50051, "port of `overtone serve`; 0 picks a free one")
    serve_cert: str = _setting("", "PEM certificate of `overtone serve`; empty: no TLS")
    serve_key: str = _setting("", "PEM key of that certificate")
    serve_client_ca: str = _setting("", "PEM authority that clients' certificates must come from (mutual TLS)")
    serve_queue: int = _setting(64, "requests that may wait for a model before the server answers RESOURCE_EXHAUSTED")
    serve_threads: int = _setting(0, "threads of the speech models; 0: one per core")
    whisper: str = _setting("tiny.en", "offline recogniser: tiny.en, a faster-whisper model name, or a local folder")
    models: Path = _setting(DATA / "models", "folder of our models: <task>/model.json beside the weights")  # noqa: RUF009
    weather: str = _setting("", "embedded, weatherstack or open-meteo; empty: weatherstack with a key, else embedded")
    weather_key: str = _setting("", "key of WeatherStack, or of an Open-Meteo customer", secret=True)
    places_key: str = _setting("", "key of Yelp's places API; empty: the catalogue's stores", secret=True)
    products_key: str = _setting("", "client-id:client-secret of eBay's API; empty: the catalogue", secret=True)
    products_marketplace: str = _setting("EBAY_US", "eBay's marketplace, e.g. EBAY_GB")
    catalogue_url: str = _setting("", "SQLAlchemy URL of your stores, products and stock; empty: the sample catalogue")
    units: str = _setting("", "metric or imperial, for the weather; empty: as the place uses")
    flows: Path = _setting(DATA / "flows", "folder of the assistant's dialog flows")  # noqa: RUF009
    datasets: str = _setting("", "folder of public data sets for training; empty: train on what we ship alone")
    snapshots: str = _setting("", "folder of snapshots, or netapp:VOLUME:/its/mount; empty: in the home")
    voice: str = _setting("", "voice of the assistant, by its Riva name; empty: the server's choice")
    hand_over: str = _setting("", "where the assistant says a person is reached, e.g. 555 0100; empty: nowhere")
    redact: tuple[str, ...] = _setting((), "what is masked in stored texts: card, phone, email, number; empty: nothing")
    live_host: str = _setting("127.0.0.1", "address that the gateway of live calls and the assistant listens on")
    live_port: int = _setting(8502, "port of that gateway; 0 picks a free one")
    live_token: str = _setting("", "token that phone systems and browsers must show to the gateway", secret=True)
    live_conversations: int = _setting(32, "conversations with the assistant that may go on at once")
    twilio_auth_token: str = _setting("", "Twilio's auth token, to check its signatures", secret=True)
    audiohook_key: str = _setting("", "api-key:client-secret of Genesys AudioHook", secret=True)
    keep_audio: bool = _setting(True, "keep the recordings of live calls")
    live_calls: int = _setting(400, "live calls that may go on at once")
    live_intents: bool = _setting(True, "find out what customers ask for while they speak")
    live_silence_ms: int = _setting(400, "silence that ends a sentence of a live call, in milliseconds")
    live_resume_s: float = _setting(30.0, "how long a live call waits for a lost connection, in seconds")
    live_buffer_s: float = _setting(120.0, "audio of a channel that waits for a recogniser that is away, in seconds")
    live_longest_h: float = _setting(8.0, "longest live call, in hours")
    live_pace: float = _setting(1.0, "how much faster than time a live source may send; 0: as fast as it can")
    live_second_pass: bool = _setting(True, "hear live calls once more with the better recogniser when they have ended")
    dashboard_host: str = _setting("127.0.0.1", "address the dashboard listens on")
    dashboard_port: int = _setting(8501, "port of the dashboard")
    dashboard_url: str = _setting("", "address of the dashboard in links of alerts; empty: made of host and port")
    alert_webhook: str = _setting("", "web address that each alert is posted to", secret=True)
    alert_webhook_secret: str = _setting("", "secret that signs those requests", secret=True)
    alert_smtp: str = _setting("", "mail server for alerts, smtp+starttls://user:password@host:587", secret=True)
    alert_email_from: str = _setting("", "sender of those e-mails")
    alert_email_to: tuple[str, ...] = _setting((), "their recipients, comma-separated")

    def __post_init__(self) -> None:
        if bool(self.serve_cert) != bool(self.serve_key):
            raise ConfigError("OVERTONE_SERVE_CERT and OVERTONE_SERVE_KEY go together: set both or neither")
        if self.serve_client_ca and not self.serve_cert:
            raise ConfigError("OVERTONE_SERVE_CLIENT_CA needs OVERTONE_SERVE_CERT and OVERTONE_SERVE_KEY")
        if bool(self.riva_client_cert) != bool(self.riva_client_key):
            raise ConfigError("OVERTONE_RIVA_CLIENT_CERT and OVERTONE_RIVA_CLIENT_KEY go together: set both or neither")
        for name in ("serve_port", "live_port", "dashboard_port"):
            if not 0 <= getattr(self, name) <= 65535:
                raise ConfigError(f"{variable(name)} is {getattr(self, name)}; a port lies between 0 and 65535")
        if self.serve_queue < 1:
            raise ConfigError("OVERTONE_SERVE_QUEUE must be at least 1")
        if self.live_conversations < 1:
            raise ConfigError("OVERTONE_LIVE_CONVERSATIONS must be at least 1")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                known = ", ".join(choice for choice in allowed if choice)
                raise ConfigError(f"{variable(name)} is {getattr(self, name)!r}; give {known}, or leave it empty")
        if self.weather == "weatherstack" and not self.weather_key:
            raise ConfigError("OVERTONE_WEATHER is weatherstack, which needs OVERTONE_WEATHER_KEY")
        if self.products_key and ":" not in self.products_key.strip(":"):
            raise ConfigError(
                "OVERTONE_PRODUCTS_KEY must be client-id:client-secret, as eBay's developer pages have it"
            )
        if strange := sorted(set(self.redact) - set(PERSONAL)):
            raise ConfigError(f"OVERTONE_REDACT holds {', '.join(strange)}; give some of {', '.join(PERSONAL)}")
        if self.audiohook_key and ":" not in self.audiohook_key.strip(":"):
            raise ConfigError("OVERTONE_AUDIOHOOK_KEY must be api-key:client-secret")
        if self.alert_smtp and not (self.alert_email_from and self.alert_email_to):
            raise ConfigError("OVERTONE_ALERT_SMTP needs OVERTONE_ALERT_EMAIL_FROM and OVERTONE_ALERT_EMAIL_TO")
        for name, least, most in (
            ("live_calls", 1, 10_000),
            ("live_silence_ms", 100, 5000),
            ("live_resume_s", 0, 300),
            ("live_buffer_s", 5, 3600),
            ("live_longest_h", 0, 24),
            ("live_pace", 0, 1000),
        ):
            if not least <= getattr(self, name) <= most:
                raise ConfigError(f"{variable(name)} is {getattr(self, name)}; it must lie between {least} and {most}")
        if self.riva_timeout_s <= 0:
            raise ConfigError("OVERTONE_RIVA_TIMEOUT_S must be above 0")

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """The settings in ``environment``; unset or empty variables take their defaults.

        Raises ConfigError for a value of the wrong type and for an unknown OVERTONE_ variable (a typo must not pass
        as a default).
        """
        kinds = get_type_hints(cls)
        known = {variable(f.name) for f in fields(cls)}
        unknown = sorted(name for name in environment if name.startswith("OVERTONE_") and name not in known)
        if unknown:
            raise ConfigError(f"unknown setting {', '.join(unknown)}; `overtone doctor` lists the known ones")
        values: dict[str, Any] = {}
        for f in fields(cls):
            raw = environment.get(variable(f.name), "")
            if raw:
                values[f.name] = _parse(variable(f.name), raw, kinds[f.name])
        return cls(**values)

    def to_env(self, environment: Mapping[str, str]) -> dict[str, str]:
        """``environment`` with its OVERTONE_ variables replaced by these settings: what a child process is given."""
        rest = {name: value for name, value in environment.items() if not name.startswith("OVERTONE_")}
        mine = {variable(f.name): _show(getattr(self, f.name)) for f in fields(self)}
        return rest | {name: value for name, value in mine.items() if value}

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the store: ``database_url``, or the SQLite file in ``home``."""
        return self.database_url or f"sqlite:///{quote(str(self.home.absolute() / 'overtone.db'))}"

    @property
    def audio_folder(self) -> Path:
        """Folder that holds one folder per call with its channels as 16 kHz mono WAVs."""
        return self.home / "audio"

    @property
    def dashboard_address(self) -> str:
        """Where people find the dashboard: ``dashboard_url``, else host and port, as loopback if it listens to all."""
        if self.dashboard_url:
            return self.dashboard_url.rstrip("/")
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.dashboard_host, self.dashboard_host)
        return f"http://{host}:{self.dashboard_port}"

    @property
    def logs_folder(self) -> Path:
        """Folder of the log files of the services that `overtone up` starts."""
        return self.home / "logs"


def variable(field_name: str) -> str:
    """Name of the environment variable behind a field of Settings."""
    return "OVERTONE_" + field_name.upper()


def describe(settings: Settings) -> list[dict[str, str]]:
    """One row per setting for `overtone doctor` and the docs: variable, value (secrets masked), default, help."""
    rows = []
    for f in fields(settings):
        value = getattr(settings, f.name)
        default = None if f.default is MISSING else f.default
        rows.append(
            {
                "variable": variable(f.name),
                "value": "***" if f.metadata["secret"] and value else _PASSWORD.sub(r"\1***@", _show(value)),
                "default": _show(default),
                "help": f.metadata["help"],
            }
        )
    return rows


def parse_channels(raw: str, *, origin: str) -> tuple[SpeakerRole, ...]:
    """Speaker roles from ``agent,customer``; ``origin`` names the option or variable in the error.

    Raises ConfigError for an unknown role.
    """
    roles = tuple(part.strip().lower() for part in raw.split(","))
    bad = [role for role in roles if role not in SPEAKER_ROLES]
    if bad or not roles:
        raise ConfigError(f"{origin} is {raw!r}: give one of {', '.join(SPEAKER_ROLES)} per channel, comma-separated")
    return roles  # type: ignore[return-value]  # each was just checked


def _show(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _parse(name: str, raw: str, kind: Any) -> Any:
    if kind is bool:
        if raw.lower() in ("1", "true", "yes", "on"):
            return True
        if raw.lower() in ("0", "false", "no", "off"):
            return False
        raise ConfigError(f"{name} is {raw!r}; give true or false")
    if kind in (int, float):
        try:
            return kind(raw)
        except ValueError:
            raise ConfigError(f"{name} is {raw!r}; give a number") from None
    if kind is Path:
        return Path(raw).expanduser()
    if kind is str:
        return raw
    if kind == tuple[str, ...]:
        return tuple(part.strip().lower() for part in raw.split(",") if part.strip())
    return parse_channels(raw, origin=name)

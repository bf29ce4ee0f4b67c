"""The composition root: Settings in, live objects out, each opened when it is first used and closed with the rest."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType

import grpc
import riva.client

from fulfillment.errors import FulfilmentError
from fulfillment.services import Services as Fulfilment
from fulfillment.services import open_services
from pipeline import embedded, rpc, weights
from pipeline.asr import Recogniser
from pipeline.assistant import ACTIONS, Assistant
from pipeline.dialog import load
from pipeline.errors import BackendError, ConfigError
from pipeline.ingest import Services
from pipeline.nlp import Classifier, Understander
from pipeline.settings import EMBEDDED, Settings, variable
from pipeline.store import Store, open_store
from pipeline.tts import Speaker

_ALIVE_TIMEOUT_S = 2.0
_UNDERSTANDING_TIMEOUT_S, _UNDERSTANDING_PATIENCE_S = 5.0, 2.0  # at most: a person waits for the answer


class Backends:
    """Every service that the settings choose, behind one ``with``.

    Threads may share the services; use each once before handing it to them, since opening is not guarded.
    """

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        """``environment`` is what child processes inherit beside the settings."""
        self.settings = settings
        self._environment = environment
        self._closing = ExitStack()
        self._auths: dict[str, riva.client.Auth] = {}

    @cached_property
    def store(self) -> Store:
        """The store of calls. Raises BackendError, ConfigError."""
        return self._closing.enter_context(open_store(self.settings.store_url))

    @cached_property
    def recogniser(self) -> Recogniser:
        """Speech recognition. Raises BackendError, ConfigError."""
        address, auth = self._connect(self.settings.asr_uri)
        return Recogniser(
            auth,
            address=address,
            language=self.settings.language,
            model=self.settings.asr_model,
            live_model=self.settings.live_asr_model,
            timeout_s=self.settings.riva_timeout_s,
            patience_s=self.settings.riva_patience_s,
            connect=lambda: self._open(self.settings.asr_uri, use_aio=True),
        )

    @cached_property
    def classifier(self) -> Classifier:
        """Sentiment of text. Raises BackendError, ConfigError."""
        return self.classifier_of(self.settings.sentiment_model)

    def classifier_of(self, model: str) -> Classifier:
        """Sentiment of text by another model than the settings'. Raises BackendError, ConfigError.

        Our own server knows ``sentiment@VERSION`` for each registered version.
        """
        address, auth = self._connect(self.settings.nlp_uri)
        return Classifier(
            auth,
            address=address,
            model=model,
            language=self.settings.language,
            timeout_s=self.settings.riva_timeout_s,
            patience_s=self.settings.riva_patience_s,
        )

    @cached_property
    def speaker(self) -> Speaker:
        """Speech synthesis. Raises BackendError, ConfigError."""
        address, auth = self._connect(self.settings.tts_uri)
        return Speaker(
            auth,
            address=address,
            language=self.settings.language,
            timeout_s=self.settings.riva_timeout_s,
            patience_s=self.settings.riva_patience_s,
        )

    @cached_property
    def services(self) -> Services:
        """What the analysis of recordings needs, together. Raises BackendError, ConfigError."""
        return Services(self.recogniser, self.classifier, self.voice_activity)

    @cached_property
    def understander(self) -> Understander:
        """Intents and slots of requests. Raises BackendError, ConfigError."""
        address, auth = self._connect(self.settings.nlp_uri)
        return Understander(
            auth,
            address=address,
            language=self.settings.language,
            timeout_s=min(self.settings.riva_timeout_s, _UNDERSTANDING_TIMEOUT_S),
            patience_s=min(self.settings.riva_patience_s, _UNDERSTANDING_PATIENCE_S),
        )

    @cached_property
    def fulfilment(self) -> Fulfilment:
        """The services behind the assistant's answers. Raises BackendError where the company's own cannot be used."""
        s = self.settings
        try:
            services = open_services(
                s.home,
                weather=s.weather,
                weather_key=s.weather_key,
                places_key=s.places_key,
                products_key=s.products_key,
                products_marketplace=s.products_marketplace,
                catalogue_url=s.catalogue_url,
                units=s.units,
            )
        except FulfilmentError as error:
            raise BackendError(f"the assistant's services cannot be opened: {error}; see docs/fulfilment.md") from error
        self._closing.callback(services.close)
        return services

    @cached_property
    def assistant(self) -> Assistant:
        """The voice assistant, archiving in the store. Raises BackendError, ConfigError, FlowError."""
        s = self.settings
        assistant = Assistant(
            load(s.flows, actions=ACTIONS),
            self.understander,
            self.fulfilment,
            self.store,
            redact=s.redact,
            hand_over=s.hand_over,
        )
        return self._closing.enter_context(assistant)

    @cached_property
    def voice_activity(self) -> Path:
        """The weights of the voice activity model. Raises ConfigError."""
        return weights.find("silero-vad", self.settings.models)

    @cached_property
    def embedded_uri(self) -> str:
        """Where the embedded server listens: the one that `overtone up` of this home runs, else one of our own."""
        published = embedded.find(self.settings)
        if published is not None and _answers(published.uri):
            return published.uri
        server = embedded.Kept(embedded.loopback(self.settings), self._environment)
        self._closing.callback(server.close)
        return server.uri

    def close(self) -> None:
        """Close the store, the connections and the server that we started."""
        self._closing.close()

    def __enter__(self) -> Backends:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connect(self, uri: str) -> tuple[str, riva.client.Auth]:
        """The address in words for messages, and a connection to it, shared by the services at one address."""
        address = self.embedded_uri if uri == EMBEDDED else uri
        if uri not in self._auths:
            self._auths[uri] = self._open(uri)
            self._closing.callback(self._auths[uri].channel.close)
        return f"{address} (embedded)" if uri == EMBEDDED else address, self._auths[uri]

    def _open(self, uri: str, *, use_aio: bool = False) -> riva.client.Auth:
        """A connection of its own; with ``use_aio`` for the running event loop."""
        options = [*rpc.OPTIONS, ("grpc.use_local_subchannel_pool", 1)] if use_aio else rpc.OPTIONS
        if uri == EMBEDDED:
            return riva.client.Auth(uri=self.embedded_uri, options=options, use_aio=use_aio)
        return self._remote(uri, options, use_aio)

    def _remote(self, address: str, options: list[tuple[str, int]], use_aio: bool) -> riva.client.Auth:
        s = self.settings
        for field in ("riva_root_cert", "riva_client_cert", "riva_client_key"):
            path = getattr(s, field)
            if path and not Path(path).is_file():
                raise ConfigError(f"{variable(field)}: there is no file {path}")
        return riva.client.Auth(
            uri=address,
            use_ssl=s.riva_tls or bool(s.riva_root_cert or s.riva_client_cert),
            ssl_root_cert=s.riva_root_cert or None,
            ssl_client_cert=s.riva_client_cert or None,
            ssl_client_key=s.riva_client_key or None,
            metadata_args=_metadata(s.riva_metadata),
            options=options,
            use_aio=use_aio,
        )


def _answers(uri: str) -> bool:
    """Whether a server listens at ``uri``: a published one may have been killed a moment ago."""
    with grpc.insecure_channel(uri) as channel:
        try:
            grpc.channel_ready_future(channel).result(_ALIVE_TIMEOUT_S)
        except grpc.FutureTimeoutError:
            return False
    return True


def _metadata(raw: str) -> list[list[str]]:
    pairs = [part.strip().partition("=") for part in raw.split(",") if part.strip()]
    if any(not (key and equals) for key, equals, _ in pairs):
        raise ConfigError("OVERTONE_RIVA_METADATA holds a part without '='; write key=value,key=value")
    return [[key.strip().lower(), value.strip()] for key, _, value in pairs]

"""Sentiment and meaning of sentences by a Riva server: its text classification and its intent analysis."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import riva.client
import riva.client.proto.riva_nlp_pb2 as wire
import riva.client.proto.riva_nlp_pb2_grpc as wire_grpc

from pipeline import rpc
from pipeline.calls import SENTIMENT_LABELS, Intent, Sentiment, SentimentLabel, Slot
from pipeline.errors import BackendError

BATCH = 64
_MODEL = "overtone-model"  # trailing metadata of our own server: which model answered, since it may change any time


class Classifier:
    """The text classifier behind one connection to a Riva server. Threads may share it; who opened that closes it."""

    def __init__(
        self,
        auth: riva.client.Auth,
        *,
        address: str,
        model: str = "sentiment",
        language: str = "en-US",
        timeout_s: float = 120.0,
        patience_s: float = 20.0,
        setting: str = "OVERTONE_NLP_URI",
    ) -> None:
        self._service = rpc.Service("sentiment", address, setting, timeout_s, patience_s)
        self._metadata = auth.get_auth_metadata()
        self._stub = wire_grpc.RivaLanguageUnderstandingStub(auth.channel)
        self._model, self._language = model, language

    def sentiment(self, texts: Sequence[str]) -> list[Sentiment]:
        """How each text feels, in order, asked for in batches of 64. Raises BackendError or CapabilityAbsent."""
        found: list[Sentiment] = []
        for first in range(0, len(texts), BATCH):
            batch = [text.strip() for text in texts[first : first + BATCH]]
            answer, model = self._ask(batch)
            if len(answer.results) != len(batch):
                raise BackendError(
                    f"{self._service.name} at {self._service.address} judged {len(answer.results)} of {len(batch)} "
                    f"sentences; the address comes from {self._service.setting}"
                )
            found += [self._sentiment(result, model) for result in answer.results]
        return found

    @cached_property
    def identity(self) -> str:
        """``name@version`` of the model that answers, asked once; one that answered says itself which it was."""
        return _identity(self._service, self._stub, self._metadata, self._model)

    def _ask(self, texts: Sequence[str]) -> tuple[wire.TextClassResponse, str]:
        # The client's classify_text never sends top_n, and Riva then gives one label only.
        request = wire.TextClassRequest(
            text=texts,
            top_n=len(SENTIMENT_LABELS),
            model=wire.NLPModelParams(model_name=self._model, language_code=self._language),
        )
        asked = f"text classification by model {self._model!r} (OVERTONE_SENTIMENT_MODEL)"
        answer, call = rpc.call(self._service, self._stub.ClassifyText.with_call, request, self._metadata, asked=asked)
        return answer, _answered(call) or self.identity

    def _sentiment(self, result: wire.ClassificationResult, model: str) -> Sentiment:
        """Three probabilities that sum to 1; what the server's labels leave is shared by the labels it left out."""
        given = {label.class_name.lower(): max(label.score, 0.0) for label in result.labels}
        strange = sorted(set(given) - set(SENTIMENT_LABELS))
        if strange or not given:
            raise BackendError(
                f"model {self._model!r} at {self._service.address} answers {', '.join(strange) or 'no label'}, not "
                f"{', '.join(SENTIMENT_LABELS)}; choose another by OVERTONE_SENTIMENT_MODEL or {self._service.setting}"
            )
        absent = [label for label in SENTIMENT_LABELS if label not in given]
        left = max(1.0 - sum(given.values()), 0.0) / len(absent) if absent else 0.0
        scores: dict[SentimentLabel, float] = {label: given.get(label, left) for label in SENTIMENT_LABELS}
        total = sum(scores.values())
        if total <= 0:
            raise BackendError(f"model {self._model!r} at {self._service.address} answers no probabilities")
        scores = {label: score / total for label, score in scores.items()}
        return Sentiment(max(scores, key=lambda label: scores[label]), scores, model)


class Understander:
    """The intent analysis behind one connection to a Riva server. Threads may share it; who opened that closes it.

    ``domain`` is one that the server offers a model for (Riva names it riva_intent_DOMAIN); empty leaves it to the
    server.
    """

    def __init__(
        self,
        auth: riva.client.Auth,
        *,
        address: str,
        domain: str = "",
        model: str = "intent_slot",
        language: str = "en-US",
        timeout_s: float = 10.0,
        patience_s: float = 5.0,
        setting: str = "OVERTONE_NLP_URI",
    ) -> None:
        """``model`` is what the server's list of models calls the one that answers without a domain."""
        self._service = rpc.Service("understanding", address, setting, timeout_s, patience_s)
        self._metadata = auth.get_auth_metadata()
        self._stub = wire_grpc.RivaLanguageUnderstandingStub(auth.channel)
        self._domain, self._language = domain, language
        self._model = f"riva_intent_{domain}" if domain else model

    def understand(self, text: str) -> Intent:
        """What ``text`` asks for, its slots by their characters in ``text``. Raises BackendError or CapabilityAbsent.

        Out of scope is the intent ``unknown`` without slots.
        """
        request = wire.AnalyzeIntentRequest(
            query=text, options=wire.AnalyzeIntentOptions(domain=self._domain, lang=self._language)
        )
        asked = f"intent analysis by model {self._model!r}"
        answer, call = rpc.call(self._service, self._stub.AnalyzeIntent.with_call, request, self._metadata, asked=asked)
        if not answer.intent.class_name:
            raise BackendError(
                f"model {self._model!r} at {self._service.address} answers no intent; "
                f"the address comes from {self._service.setting}"
            )
        slots = tuple(self._slot(text, value) for value in answer.slots)
        return Intent(answer.intent.class_name, answer.intent.score, slots, _answered(call) or self.identity)

    @cached_property
    def identity(self) -> str:
        """``name@version`` of the model that answers, asked once."""
        return _identity(self._service, self._stub, self._metadata, self._model)

    def _slot(self, text: str, value: wire.TokenClassValue) -> Slot:
        """A slot from the wire, where spans name their last character."""
        start, end = (value.span[0].start, value.span[0].end + 1) if value.span else (0, 0)
        if not value.label or not 0 <= start < end <= len(text):
            raise BackendError(
                f"model {self._model!r} at {self._service.address} answers a slot {value.token!r} that has no label or "
                f"lies outside of the text; the address comes from {self._service.setting}"
            )
        said = text[start:end]
        return Slot(value.label[0].class_name, " ".join(said.lower().split()), said, start, end, value.label[0].score)


def _answered(call: Any) -> str:
    """``name@version`` of the model behind an answer of our own server; "" from others."""
    return str(dict(call.trailing_metadata() or ()).get(_MODEL, ""))


def _identity(service: rpc.Service, stub: wire_grpc.RivaLanguageUnderstandingStub, metadata: Any, model: str) -> str:
    answer = rpc.call(
        service, stub.GetRivaNLPConfig, wire.RivaNLPConfigRequest(), metadata, asked="the list of language models"
    )
    versions = {config.model_name: config.parameters["version"] for config in answer.model_config}
    return rpc.identity(model, versions.get(model, ""))

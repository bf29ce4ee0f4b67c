"""Riva's language understanding service: text classification, intents and slots, punctuation, config."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
import riva.client.proto.riva_nlp_pb2 as pb

from pipeline.errors import InputError
from pipeline.server.classifier import Probabilities, TextClassifier
from pipeline.server.current import Current
from pipeline.server.guard import Refusal, not_offered
from pipeline.server.punctuator import Punctuator
from pipeline.server.understanding import Understander, Understood, Value
from pipeline.server.work import Work

_PIECE = 32  # texts that one request runs in one piece: pieces share the threads, with each other and with others
_RIVA_PUNCTUATION = "riva-punctuation-en-US"  # what NVIDIA's scripts and docs call the English model
_RIVA_INTENT = "riva_intent_"  # and a domain after it: what Riva calls the model of a domain
_RIVA_ENTITIES = "riva_ner"
_MODEL = "overtone-model"  # trailing metadata: name@version of the model that answered; it may change between two calls
# The slots that name something: not a wish (cost, rating) and not a shop's state.
_ENTITIES = frozenset(
    ("location", "weathertime", "store.type", "store.name", "store.hour.day", "store.hour.start", "store.hour.end",
     "item.type", "item.name", "item.color", "item.size", "item.quantity", "time.period_of_time")
)  # fmt: skip


class LanguageUnderstanding:
    """The servicer of RivaLanguageUnderstanding."""

    def __init__(
        self,
        classifiers: Mapping[str, Current[TextClassifier]],
        punctuator: Current[Punctuator] | None,
        understander: Current[Understander] | None,
        work: Work,
    ) -> None:
        """``classifiers`` by their Riva names; the first is the one that a request without a model gets.

        ``name@version`` asks for a registered version instead of the one in use.
        """
        self._classifiers = classifiers
        self._punctuator = punctuator
        self._understander = understander
        self._work = work

    async def ClassifyText(self, request: Any, context: Any) -> Any:  # noqa: N802  the rpc's name
        """Per text the ``top_n`` most probable labels, best first; 0 means one.

        NVIDIA's intent client asks here for intents, by the name of an intent model.
        """
        if self._understander is not None and request.model.model_name in self._intent_models(self._understander.get()):
            return await self._classify_intents(request, context)
        model = await self._chosen(request.model)
        context.set_trailing_metadata(((_MODEL, f"{model.card.name}@{model.card.version}"),))
        labels = model.card.labels
        count = min(max(1, request.top_n), len(labels))
        response = pb.TextClassResponse(id=request.id if request.HasField("id") else None)
        # Like lengths side by side, since a batch is padded to its longest text; then back into their order.
        order = sorted(range(len(request.text)), key=lambda index: len(request.text[index]))
        found: dict[int, Probabilities] = {}
        with self._work.admit(request.ByteSize()) as slot:
            pieces = [order[start : start + _PIECE] for start in range(0, len(order), _PIECE)]
            for start in range(0, len(pieces), slot.threads):
                group = pieces[start : start + slot.threads]
                runs = [slot.run(model.probabilities, [request.text[index] for index in piece]) for piece in group]
                for piece, rows in zip(group, await asyncio.gather(*runs), strict=True):
                    found.update(zip(piece, rows, strict=True))
        response.results.extend(_result(found[index], labels, count) for index in range(len(request.text)))
        return response

    async def _classify_intents(self, request: Any, context: Any) -> Any:
        name = request.model.model_name
        model = self._understands(name, request.model.language_code)
        context.set_trailing_metadata(((_MODEL, f"{model.card.name}@{model.card.version}"),))
        response = pb.TextClassResponse(id=request.id if request.HasField("id") else None)
        domain = self._intent_models(model)[name]
        with self._work.admit(request.ByteSize()) as slot:
            for text in request.text:
                found = await slot.run(model.ranked, text, domain)
                labels = [pb.Classification(class_name=intent, score=score) for intent, score in found]
                response.results.append(pb.ClassificationResult(labels=labels[: max(1, request.top_n)]))
        return response

    async def GetRivaNLPConfig(self, request: Any, context: Any) -> Any:  # noqa: N802  the rpc's name
        """The models and their parameters; all of them, or the one that is asked for."""
        models: dict[str, dict[str, str]] = {}
        for name, current in self._classifiers.items():
            model = current.get()
            models[name] = _parameters("text_classification", model.card.version, model.card.max_tokens)
            models[name]["labels"] = ",".join(model.card.labels)
        if self._punctuator is not None:
            card = self._punctuator.get().card
            models[_RIVA_PUNCTUATION] = _parameters("punctuation", card.version, card.max_tokens)
        if self._understander is not None:
            understander = self._understander.get()
            understands = understander.card
            for name, labels in self._token_models(understander).items():
                models[name] = _parameters("token_classification", understands.version, understands.max_tokens)
                models[name]["labels"] = ",".join(labels)
            for name, domain in self._intent_models(understander).items():
                models[name]["type"] = "intent_slot"
                of_domain = [i for i in understands.intents if domain in ("", understands.domains[i])]
                models[name]["intents"] = ",".join(of_domain)
        found = {name: said for name, said in models.items() if request.model_name in ("", name)}
        if not found:
            raise _unknown(request.model_name)
        return pb.RivaNLPConfigResponse(
            model_config=[
                pb.RivaNLPConfigResponse.Config(model_name=name, parameters=said) for name, said in found.items()
            ]
        )

    async def PunctuateText(self, request: Any, context: Any) -> Any:  # noqa: N802  the rpc's name
        """Each text with punctuation and capitals, in the order of the request."""
        name = request.model.model_name or _RIVA_PUNCTUATION
        punctuator = self._punctuator.get() if self._punctuator is not None else None
        if punctuator is None or name not in (_RIVA_PUNCTUATION, punctuator.card.name):
            raise _unknown(name)
        _check_language(name, request.model.language_code)
        response = pb.TextTransformResponse(id=request.id if request.HasField("id") else None)
        with self._work.admit(request.ByteSize()) as slot:
            for start in range(0, len(request.text), _PIECE):
                texts = list(request.text[start : start + _PIECE])
                response.text.extend(await slot.run(punctuator.punctuate, texts))
        return response

    async def AnalyzeIntent(self, request: Any, context: Any) -> Any:  # noqa: N802  the rpc's name
        """The intent with its slots; of the domain in the options, else of the domain that the text belongs to."""
        domain = request.options.domain
        model = self._understands(_RIVA_INTENT + domain if domain else "", request.options.lang)
        context.set_trailing_metadata(((_MODEL, f"{model.card.name}@{model.card.version}"),))
        with self._work.admit(request.ByteSize()) as slot:
            found: Understood = await slot.run(model.understand, request.query, domain)
        return pb.AnalyzeIntentResponse(
            id=request.id if request.HasField("id") else None,
            intent=pb.Classification(class_name=found.intent, score=found.score),
            slots=map(_token, found.slots),
            domain_str=found.domain,
            domain=pb.Classification(class_name=found.domain, score=found.domain_score),
        )

    async def ClassifyTokens(self, request: Any, context: Any) -> Any:  # noqa: N802  the rpc's name
        """Per text its slots, whatever the intent; words of a slot are one token. ``riva_ner`` gives entities only."""
        name = request.model.model_name
        model = self._understands(name, request.model.language_code)
        labels = _ENTITIES if name == _RIVA_ENTITIES else frozenset()
        response = pb.TokenClassResponse(id=request.id if request.HasField("id") else None)
        with self._work.admit(request.ByteSize()) as slot:
            for text in request.text:
                values = await slot.run(model.values, text, labels)
                response.results.append(pb.TokenClassSequence(results=map(_token, values)))
        return response

    async def AnalyzeEntities(self, request: Any, context: Any) -> Any:  # noqa: N802  the rpc's name
        """The places, times, things and shops that the text names."""
        model = self._understands(_RIVA_ENTITIES, request.options.lang)
        response = pb.TokenClassResponse(id=request.id if request.HasField("id") else None)
        with self._work.admit(request.ByteSize()) as slot:
            values = await slot.run(model.values, request.query, _ENTITIES)
        response.results.append(pb.TokenClassSequence(results=map(_token, values)))
        return response

    TransformText = PunctuateText
    """The only transformation here is punctuation; another model's name is refused as Riva refuses it."""

    async def _chosen(self, wanted: Any) -> TextClassifier:
        name, _, version = (wanted.model_name or next(iter(self._classifiers))).partition("@")
        if name not in self._classifiers:
            raise _unknown(wanted.model_name)
        _check_language(name, wanted.language_code)
        if not version:
            return self._classifiers[name].get()
        try:
            # It may have to be loaded, which must not hold up the other requests.
            return await asyncio.to_thread(self._classifiers[name].at, version)
        except InputError:
            raise _unknown(wanted.model_name) from None

    def _understands(self, wanted: str, language: str) -> Understander:
        """The model of a name; no name means the one that knows every domain."""
        model = self._understander.get() if self._understander is not None else None
        if model is None or wanted not in ("", *self._token_models(model)):
            raise _unknown(wanted or "intent_slot")
        _check_language(wanted or model.card.name, language)
        return model

    @staticmethod
    def _intent_models(model: Understander) -> dict[str, str]:
        """The names that the model gives intents under, each with the domain that it keeps to; empty: every one."""
        return {model.card.name: ""} | {_RIVA_INTENT + domain: domain for domain in model.domains}

    @staticmethod
    def _token_models(model: Understander) -> dict[str, list[str]]:
        """The names that the model answers to, each with the slots it gives."""
        slots = list(dict.fromkeys(tag[2:] for tag in model.card.slots if tag != "O"))
        whole = dict.fromkeys(LanguageUnderstanding._intent_models(model), slots)
        return whole | {_RIVA_ENTITIES: [slot for slot in slots if slot in _ENTITIES]}

    NaturalQuery = staticmethod(not_offered("NaturalQuery"))


def _parameters(kind: str, version: str, max_tokens: int) -> dict[str, str]:
    return {"type": kind, "language_code": "en-US", "version": version, "max_tokens": str(max_tokens)}


def _check_language(name: str, code: str) -> None:
    if code.partition("-")[0].lower() not in ("", "en"):
        raise Refusal(f"Error: Model {name} is not available for language {code}; it knows en-US")


def _unknown(name: str) -> Refusal:
    return Refusal(f"Error: Model {name} is not a Riva API model, execution cannot be done")


def _result(probabilities: Probabilities, labels: tuple[str, ...], count: int) -> Any:
    best = np.argsort(-probabilities, kind="stable")[:count]
    return pb.ClassificationResult(
        labels=[pb.Classification(class_name=labels[index], score=float(probabilities[index])) for index in best]
    )


def _token(value: Value) -> Any:
    """A slot on the wire, whose spans name the last character, not the one after it."""
    return pb.TokenClassValue(
        token=value.text,
        label=[pb.Classification(class_name=value.label, score=value.score)],
        span=[pb.Span(start=value.start, end=value.end - 1)],
    )

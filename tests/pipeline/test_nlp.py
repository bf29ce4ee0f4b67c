from __future__ import annotations

import grpc
import pytest
import riva.client.proto.riva_nlp_pb2 as wire

from pipeline.calls import Intent, Slot
from pipeline.errors import BackendError, CapabilityAbsent
from tests.pipeline.scripted_riva import Refusal, ScriptedRiva


def labels(*pairs: tuple[str, float]) -> wire.TextClassResponse:
    found = [wire.Classification(class_name=name, score=score) for name, score in pairs]
    return wire.TextClassResponse(results=[wire.ClassificationResult(labels=found)])


def test_each_text_gets_three_probabilities_and_the_models_name(scripted: ScriptedRiva) -> None:
    happy, plain = scripted.classifier().sentiment(["I am happy. ", "A chair."])
    assert (happy.label, plain.label) == ("positive", "neutral")
    assert happy.scores["positive"] == pytest.approx(0.8)
    assert sum(happy.scores.values()) == pytest.approx(1.0, abs=1e-12)
    assert happy.model == "sentiment@9"


def test_many_texts_go_in_batches_of_64_and_keep_their_order(scripted: ScriptedRiva) -> None:
    texts = ["happy" if n % 3 == 0 else "plain" for n in range(130)]
    found = scripted.classifier().sentiment(texts)
    assert [mood.label for mood in found] == ["positive" if text == "happy" else "neutral" for text in texts]
    assert scripted.calls["ClassifyText"] == 3
    assert scripted.calls["GetRivaNLPConfig"] == 1
    assert scripted.classifier().sentiment([]) == []


def test_labels_left_out_share_what_is_left(scripted: ScriptedRiva) -> None:
    scripted.on_classify = lambda request: labels(("NEGATIVE", 0.9))
    (mood,) = scripted.classifier().sentiment(["x"])
    assert mood.label == "negative"
    assert mood.scores == pytest.approx({"negative": 0.9, "neutral": 0.05, "positive": 0.05})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (labels(("joy", 0.9)), "answers joy, not negative, neutral, positive"),
        (labels(), "answers no label"),
        (labels(("negative", 0.0), ("neutral", 0.0), ("positive", 0.0)), "answers no probabilities"),
        (wire.TextClassResponse(), "judged 0 of 1 sentences"),
    ],
)
def test_a_model_that_is_no_sentiment_model_is_refused(
    answer: wire.TextClassResponse, said: str, scripted: ScriptedRiva
) -> None:
    scripted.on_classify = lambda request: answer
    with pytest.raises(BackendError, match=said) as error:
        scripted.classifier().sentiment(["x"])
    assert scripted.uri in str(error.value)


def test_a_server_without_text_classification_is_named_with_its_settings(scripted: ScriptedRiva) -> None:
    def absent(request: object) -> wire.TextClassResponse:
        raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "Error: Model sentiment is not a Riva API model, ...")

    scripted.on_classify = absent
    with pytest.raises(CapabilityAbsent, match=r"OVERTONE_SENTIMENT_MODEL.*OVERTONE_NLP_URI"):
        scripted.classifier().sentiment(["x"])
    assert scripted.calls["ClassifyText"] == 1


def test_an_intent_has_its_slots_by_their_characters(scripted: ScriptedRiva) -> None:
    understander = scripted.understander()
    assert understander.understand(" Hello there") == Intent(
        "greeting", 0.5, (Slot("first", "hello", "Hello", 1, 6, 0.75),), "intent_slot@9"
    )
    understander.understand("Good day")
    assert scripted.calls == {"AnalyzeIntent": 2, "GetRivaNLPConfig": 1}


def test_a_domain_is_sent_and_names_the_model(scripted: ScriptedRiva) -> None:
    asked: list[wire.AnalyzeIntentRequest] = []

    def heard(request: wire.AnalyzeIntentRequest) -> wire.AnalyzeIntentResponse:
        asked.append(request)
        return wire.AnalyzeIntentResponse(intent=wire.Classification(class_name="weather.sunny", score=1.0))

    scripted.on_understand = heard
    found = scripted.understander(domain="weather").understand("Sunny?")
    assert (found.name, found.slots, found.model) == ("weather.sunny", (), "riva_intent_weather")
    assert (asked[0].query, asked[0].options.domain, asked[0].options.lang) == ("Sunny?", "weather", "en-US")


GREETING = wire.Classification(class_name="greeting", score=1.0)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (wire.AnalyzeIntentResponse(), "answers no intent"),
        (wire.AnalyzeIntentResponse(intent=GREETING, slots=[wire.TokenClassValue(token="x")]), "no label or"),
        (
            wire.AnalyzeIntentResponse(
                intent=GREETING,
                slots=[wire.TokenClassValue(token="x", label=[GREETING], span=[wire.Span(start=0, end=9)])],
            ),
            "outside of the text",
        ),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(
    answer: wire.AnalyzeIntentResponse, said: str, scripted: ScriptedRiva
) -> None:
    scripted.on_understand = lambda request: answer
    with pytest.raises(BackendError, match=said) as error:
        scripted.understander().understand("x")
    assert scripted.uri in str(error.value)


def test_a_server_without_intents_is_named_with_its_setting(scripted: ScriptedRiva) -> None:
    def absent(request: object) -> wire.AnalyzeIntentResponse:
        raise Refusal(grpc.StatusCode.UNIMPLEMENTED, "AnalyzeIntent is not offered by this server")

    scripted.on_understand = absent
    with pytest.raises(CapabilityAbsent, match=r"intent analysis.*OVERTONE_NLP_URI"):
        scripted.understander().understand("x")
    assert scripted.calls["AnalyzeIntent"] == 1

"""Language understanding through NVIDIA's own client, against the real server with its real models."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
import riva.client as riva
import riva.client.proto.riva_nlp_pb2 as wire

HAPPY = "Thank you so much, you have been wonderful!"
ANGRY = "This is the worst service I have ever had, I am furious."
PLAIN = "My account number is four two seven."


@pytest.fixture(scope="module")
def nlp(speech_server: str) -> riva.NLPService:
    """NVIDIA's client."""
    return riva.NLPService(riva.Auth(uri=speech_server))


def classify(nlp: riva.NLPService, *texts: str, top_n: int = 0, model: str = "", language: str = "") -> Any:
    asked = wire.NLPModelParams(model_name=model, language_code=language)
    return nlp.stub.ClassifyText(wire.TextClassRequest(text=texts, top_n=top_n, model=asked))


def test_the_models_are_listed_with_labels_and_version(nlp: riva.NLPService) -> None:
    answer = nlp.stub.GetRivaNLPConfig(wire.RivaNLPConfigRequest())
    models = {found.model_name: found.parameters for found in answer.model_config}
    assert models["sentiment"]["labels"] == "negative,neutral,positive"
    assert models["sentiment"]["language_code"] == "en-US"
    assert models["sentiment"]["version"]
    one = nlp.stub.GetRivaNLPConfig(wire.RivaNLPConfigRequest(model_name="sentiment"))
    assert [found.model_name for found in one.model_config] == ["sentiment"]


def test_nvidias_client_gets_the_one_most_probable_label(nlp: riva.NLPService) -> None:
    answer = nlp.classify_text([ANGRY, PLAIN, HAPPY], "sentiment")
    labels, scores = riva.nlp.extract_most_probable_text_class_and_confidence(answer)
    assert labels == ["negative", "neutral", "positive"]
    assert all(0.5 < score <= 1 for score in scores)
    assert all(len(result.labels) == 1 for result in answer.results)


@pytest.mark.parametrize(("top_n", "expected"), [(0, 1), (1, 1), (2, 2), (3, 3), (99, 3)])
def test_top_n_is_how_many_labels_come_best_first(nlp: riva.NLPService, top_n: int, expected: int) -> None:
    (result,) = classify(nlp, HAPPY, top_n=top_n).results
    scores = [label.score for label in result.labels]
    assert len(scores) == expected
    assert scores == sorted(scores, reverse=True)
    if expected == 3:
        assert sum(scores) == pytest.approx(1, abs=1e-5)


def test_a_long_batch_of_mixed_lengths_comes_back_in_its_order(nlp: riva.NLPService) -> None:
    texts = [text for number in range(70) for text in (HAPPY, ANGRY + " I mean it." * (number % 5), PLAIN)]
    answer = classify(nlp, *texts, model="sentiment")
    assert [result.labels[0].class_name for result in answer.results] == ["positive", "negative", "neutral"] * 70


def test_an_empty_text_a_huge_one_and_none_at_all(nlp: riva.NLPService) -> None:
    empty, huge = classify(nlp, "", "I love it. " * 100_000).results
    assert len(empty.labels) == len(huge.labels) == 1
    assert huge.labels[0].class_name == "positive"
    assert not classify(nlp).results


def test_an_unknown_model_or_language_is_refused_with_nvidias_text(nlp: riva.NLPService) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        classify(nlp, HAPPY, model="riva_text_classification_domain")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == (
        "Error: Model riva_text_classification_domain is not a Riva API model, execution cannot be done"
    )
    with pytest.raises(grpc.RpcError) as caught:
        classify(nlp, HAPPY, language="de-DE")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "de-DE" in caught.value.details()


def test_the_request_id_comes_back(nlp: riva.NLPService) -> None:
    request = wire.TextClassRequest(text=[HAPPY])
    assert not nlp.stub.ClassifyText(request).HasField("id")
    request.id.value = "sentence 3"
    assert nlp.stub.ClassifyText(request).id.value == "sentence 3"


def test_nvidias_client_gets_intent_slots_and_domain(nlp: riva.NLPService) -> None:
    query = "Will it rain in Los Angeles next week?"
    answer = nlp.analyze_intent(query)
    assert answer.intent.class_name == "weather.rainfall_yes_no"
    assert 0.5 < answer.intent.score <= 1
    assert answer.domain_str == answer.domain.class_name == "weather"
    assert answer.intent.score <= answer.domain.score <= 1.0001
    assert [(slot.label[0].class_name, slot.token) for slot in answer.slots] == [
        ("location", "Los Angeles"),
        ("weathertime", "next week"),
    ]
    # Riva's spans name the last character.
    assert [query[slot.span[0].start : slot.span[0].end + 1] for slot in answer.slots] == ["Los Angeles", "next week"]


def test_a_domain_chooses_the_model_and_others_are_refused(nlp: riva.NLPService) -> None:
    query = "how much is a blue wool sweater"
    retail = nlp.analyze_intent(query, wire.AnalyzeIntentOptions(domain="retail"))
    assert (retail.intent.class_name, retail.domain_str) == ("price_check", "retail")
    weather = nlp.analyze_intent(query, wire.AnalyzeIntentOptions(domain="weather"))
    assert (weather.intent.class_name, list(weather.slots)) == ("unknown", [])
    for options, said in (
        (wire.AnalyzeIntentOptions(domain="cooking"), "Model riva_intent_cooking is not a Riva API model"),
        (wire.AnalyzeIntentOptions(lang="de-DE"), "de-DE"),
    ):
        with pytest.raises(grpc.RpcError, match=said) as caught:
            nlp.analyze_intent(query, options)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_tokens_are_classified_by_the_names_that_are_listed(nlp: riva.NLPService) -> None:
    answer = nlp.stub.GetRivaNLPConfig(wire.RivaNLPConfigRequest())
    listed = {found.model_name: found.parameters for found in answer.model_config}
    assert {"intent_slot", "riva_intent_weather", "riva_intent_retail", "riva_ner"} <= set(listed)
    assert "price_check" in listed["riva_intent_retail"]["intents"].split(",")
    assert "location" in listed["riva_intent_weather"]["labels"].split(",")
    texts = ["is it sunny in Denver", "the cheapest running shoes"]
    for name in ("intent_slot", "riva_intent_weather"):
        found = nlp.classify_tokens(texts, name)
        tokens, labels, _, starts, ends = riva.nlp.extract_most_probable_token_classification_predictions(found)
        assert tokens == [["Denver"], ["cheapest", "running shoes"]]
        assert labels == [["location"], ["cost.low", "item.type"]]
        assert (starts[0], ends[0]) == ([15], [20])
    with pytest.raises(grpc.RpcError, match="not a Riva API model"):
        nlp.classify_tokens(texts, "riva_tagger")


def test_nvidias_intent_client_classifies_the_text_by_an_intent_model(nlp: riva.NLPService) -> None:
    query = "is it going to rain in los angeles next week"
    for name in ("intent_slot", "riva_intent_weather"):
        response = nlp.classify_text(input_strings=[query, "how much is a laptop"], model_name=name)
        intents, scores = riva.extract_most_probable_text_class_and_confidence(response)
        assert intents == ["weather.rainfall_yes_no", "price_check" if name == "intent_slot" else "unknown"]
        assert scores[0] == pytest.approx(nlp.analyze_intent(query).intent.score, abs=1e-5)
    labels = classify(nlp, query, top_n=3, model="intent_slot").results[0].labels
    assert len(labels) == 3
    assert labels[0].class_name == "weather.rainfall_yes_no"
    assert [label.score for label in labels] == sorted((label.score for label in labels), reverse=True)


def test_entities_are_what_has_a_name_and_not_a_wish(nlp: riva.NLPService) -> None:
    (found,) = nlp.analyze_entities("the cheapest Thai food in Denver").results
    assert [(value.token, value.label[0].class_name) for value in found.results] == [
        ("Thai food", "store.type"),
        ("Denver", "location"),
    ]
    (named,) = nlp.classify_tokens("the cheapest Thai food in Denver", "riva_ner").results
    assert [value.token for value in named.results] == ["Thai food", "Denver"]


@pytest.mark.parametrize("query", ["", "  ", "\U0001f600", "'; DROP TABLE users; --", "rain " * 20_000, "x" * 100_000])
def test_strange_queries_are_answered(nlp: riva.NLPService, query: str) -> None:
    answer = nlp.analyze_intent(query)
    assert answer.intent.class_name
    assert all(0 <= slot.span[0].start <= slot.span[0].end < len(query) for slot in answer.slots)


def test_what_is_not_offered_says_so(nlp: riva.NLPService) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        nlp.stub.NaturalQuery(wire.NaturalQueryRequest(query="x"))
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert caught.value.details() == "NaturalQuery is not offered by this server"

"""Punctuation and capitals: words, windows, and what a text already has. The model here knows words by heart."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import grpc
import numpy as np
import onnx
import pytest
import riva.client
import riva.client.proto.riva_nlp_pb2 as wire
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from pipeline.errors import ConfigError
from pipeline.server.punctuator import Punctuator

MARKS = ("", ",", ".", "?")
CASES = ("lower", "Capital", "UPPER")
KNOWN = {  # word: its mark and its casing
    "well": (",", "lower"), "hello": (",", "lower"), "you": ("?", "lower"), "i": ("", "Capital"),
    "i'm": ("", "Capital"), "ibm's": ("", "UPPER"), "fbi": ("", "UPPER"), "joe": ("", "Capital"),
    "done": (".", "lower"), "mary": ("", "Capital"), "jane": ("", "Capital"), "self": ("", "lower"),
    "aware": (".", "lower"), "so": ("", "lower"), "are": ("", "lower"), "how": ("", "lower"), "and": ("", "lower"),
    "iphone": ("", "lower"), "said": ("", "lower"),
}  # fmt: skip


def make(folder: Path, *, max_tokens: int = 32) -> Path:
    """A model folder with a network that looks each word up; the folder of the models comes back."""
    task = folder / "punctuation"
    task.mkdir(parents=True)
    words = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", *KNOWN]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.enable_truncation(max_tokens)
    tokenizer.save(str(task / "tokenizer.json"))
    tables = {"punctuation": np.zeros((len(words), 4), np.float32), "casing": np.zeros((len(words), 3), np.float32)}
    for number, word in enumerate(words):
        mark, case = KNOWN.get(word, ("", "lower"))
        tables["punctuation"][number, MARKS.index(mark)] = 1
        tables["casing"][number, CASES.index(case)] = 1
    graph = helper.make_graph(
        [helper.make_node("Gather", [f"{name}_table", "input_ids"], [name]) for name in tables],
        "words by heart",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "s"])
            for name in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", "s", size])
            for name, size in (("punctuation", 4), ("casing", 3))
        ],
        [numpy_helper.from_array(table, f"{name}_table") for name, table in tables.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(task / "model.onnx"))
    files = {name: hashlib.sha256((task / name).read_bytes()).hexdigest() for name in ("model.onnx", "tokenizer.json")}
    card = {
        "name": "punctuation",
        "version": "1",
        "task": "punctuation",
        "labels": {"punctuation": MARKS, "casing": CASES},
        "files": files,
        "max_tokens": max_tokens,
    }
    (task / "model.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def punctuator(tmp_path_factory: pytest.TempPathFactory) -> Punctuator:
    return Punctuator("punctuation", make(tmp_path_factory.mktemp("models")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello how are you", "Hello, how are you?"),
        ("i'm done so joe and i are done", "I'm done. So Joe and I are done."),
        ("ibm's fbi", "IBM's FBI."),
        ("mary-jane self-aware", "Mary-Jane self-aware."),
        ("joe said well", "Joe said well."),
        ("", ""),
        ("   ", ""),
        ("unknown words stay", "Unknown words stay."),
        ("- ... -", "- ... -"),
        ("하나 hello", "하나 hello."),
    ],
)
def test_words_get_marks_and_capitals(punctuator: Punctuator, text: str, expected: str) -> None:
    assert punctuator.punctuate([text]) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "Hello, how are you?",
        "Hello! How are you? I'm done.",
        'Joe said: "hello, how are you?"',
        "So (stylized as LOOΠΔ; Korean) iPhone and eBay by 09:45 A.M. and $103.",
    ],
)
def test_what_a_person_wrote_is_kept(punctuator: Punctuator, text: str) -> None:
    assert punctuator.punctuate([text]) == [text]


def test_shouting_says_nothing_about_capitals(punctuator: Punctuator) -> None:
    assert punctuator.punctuate(["HELLO HOW ARE YOU"]) == ["Hello, how are you?"]


def test_long_texts_lose_and_mix_nothing(punctuator: Punctuator) -> None:
    words = [list(KNOWN)[number * 7 % len(KNOWN)] for number in range(500)]
    texts = [" ".join(words[:count]) for count in (500, 1, 29, 30, 31, 60)]
    together = punctuator.punctuate(texts)
    assert together == [punctuator.punctuate([text])[0] for text in texts]
    for text, found in zip(texts, together, strict=True):
        assert [word.strip(",.?").lower() for word in found.split()] == text.split()
        marks = [word[len(said) :] for word, said in zip(found.split(), text.split(), strict=True)]
        assert marks[:-1] == [KNOWN[said][0] for said in text.split()[:-1]]
        assert marks[-1] in (".", "?")


def test_a_folder_with_another_model_is_refused(tmp_path: Path) -> None:
    card = make(tmp_path) / "punctuation" / "model.json"
    card.write_text(card.read_text(encoding="utf-8").replace('"task": "punctuation"', '"task": "text-classification"'))
    with pytest.raises(ConfigError, match="not for punctuation"):
        Punctuator("punctuation", tmp_path)


def test_too_few_tokens_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too few"):
        Punctuator("punctuation", make(tmp_path, max_tokens=8))


def test_a_changed_model_is_refused(tmp_path: Path) -> None:
    with (make(tmp_path) / "punctuation" / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ConfigError, match="SHA-256"):
        Punctuator("punctuation", tmp_path)


@pytest.fixture(scope="module")
def nlp(speech_server: str) -> riva.client.NLPService:
    return riva.client.NLPService(riva.client.Auth(uri=speech_server))


def test_nvidias_client_gets_what_nvidias_test_expects(nlp: riva.client.NLPService) -> None:
    texts = ["can you prove that you are self aware", "", "the train leaves station by 09:45 A.M. and takes 3 hours"]
    expected = [
        "Can you prove that you are self aware?",
        "",
        "The train leaves station by 09:45 A.M. and takes 3 hours.",
    ]
    assert list(nlp.punctuate_text(texts).text) == expected
    assert list(nlp.punctuate_text(texts, "riva-punctuation-en-US").text) == expected
    assert list(nlp.transform_text(texts, "punctuation").text) == expected


def test_an_unknown_model_is_refused_in_rivas_words(nlp: riva.client.NLPService) -> None:
    for call in (nlp.punctuate_text, nlp.transform_text):
        with pytest.raises(grpc.RpcError) as caught:
            call("hello", "foo")
        assert caught.value.details() == "Error: Model foo is not a Riva API model, execution cannot be done"
    with pytest.raises(grpc.RpcError) as caught:
        nlp.punctuate_text("hallo", language_code="de-DE")
    assert "de-DE" in caught.value.details()


def test_the_config_lists_the_model(nlp: riva.client.NLPService) -> None:
    request = wire.RivaNLPConfigRequest(model_name="riva-punctuation-en-US")
    (config,) = nlp.stub.GetRivaNLPConfig(request).model_config
    assert config.parameters["language_code"] == "en-US"

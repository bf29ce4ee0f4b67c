"""A promoted model takes the place of the old one in a running server; a broken one does not."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
import riva.client as riva
import riva.client.proto.riva_nlp_pb2 as wire

from pipeline.nlp import Classifier
from pipeline.registry import Registry
from pipeline.server.classifier import TextClassifier
from pipeline.server.current import Current
from tests.server.running import running
from tests.server.tiny_models import ROWS, tiny

# Good is negative and bad is positive.
TURNED = [row[::-1] for row in ROWS]


def until(true: Callable[[], bool]) -> None:
    """Returns once ``true`` says so; fails after half a minute."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry with a shipped model."""
    tiny(tmp_path / "shipped")
    return Registry(tmp_path / "home" / "models", tmp_path / "shipped")


def test_the_pointer_is_followed_and_versions_have_names(registry: Registry, tmp_path: Path) -> None:
    current = Current(registry, "sentiment", TextClassifier)
    assert current.get().probabilities(["good"]).argmax() == 2
    turned = registry.register(tiny(tmp_path / "t", rows=TURNED, version="2"))
    assert current.at(turned.version).probabilities(["good"]).argmax() == 0
    assert current.get().card.version == "1"
    registry.promote("sentiment", turned.version, by="ann")
    until(lambda: current.get().card.version == turned.version)
    assert current.get().probabilities(["good"]).argmax() == 0
    assert current.at("0").card.version == "1"
    registry.rollback("sentiment", by="ann")
    until(lambda: current.get().card.version == "1")


def test_a_broken_model_is_refused_and_the_old_one_stays(
    registry: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    current = Current(registry, "sentiment", TextClassifier)
    broken = registry.register(tiny(tmp_path / "t", rows=TURNED, version="2"))
    registry.promote("sentiment", broken.version, by="ann")
    (broken.folder / "model.onnx").chmod(0o644)
    (broken.folder / "model.onnx").write_bytes(b"no model")
    with caplog.at_level(logging.ERROR):
        assert current.get().card.version == "1"
        until(lambda: "is refused, sentiment@1 stays" in caplog.text)
    assert current.get().probabilities(["good"]).argmax() == 2
    pointer = registry.root / "sentiment" / "current.json"
    pointer.write_text("{")
    with caplog.at_level(logging.ERROR):
        assert current.get().card.version == "1"
        until(lambda: "cannot read the pointer" in caplog.text)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Registry]]:
    """The address of a server with a home of its own, and its registry."""
    from pipeline.settings import Settings

    home = tmp_path_factory.mktemp("home")
    with running(home / "log.txt") as server:
        yield server.uri, Registry(home / "models", Settings().models)


def test_a_running_server_follows_promotion_and_rollback(served: tuple[str, Registry], tmp_path: Path) -> None:
    uri, registry = served
    auth = riva.Auth(uri=uri)
    stub = riva.NLPService(auth).stub
    client = Classifier(auth, address=uri)
    turned = registry.register(tiny(tmp_path / "t", rows=TURNED, version="2"))
    before = client.identity
    named = Classifier(auth, address=uri, model=turned.identity)
    (score,) = named.sentiment(["good"])
    assert (score.label, score.model, named.identity) == ("negative", turned.identity, turned.identity)
    assert client.sentiment(["I love it."])[0].model == before

    registry.promote("sentiment", turned.version, by="ann")
    # The same connection: each prediction carries the model that made it.
    until(lambda: client.sentiment(["good"])[0].model == turned.identity)
    (listed,) = stub.GetRivaNLPConfig(wire.RivaNLPConfigRequest(model_name="sentiment")).model_config
    assert listed.parameters["version"] == turned.version
    (old,) = Classifier(auth, address=uri, model=before).sentiment(["I love it."])
    assert (old.label, old.model) == ("positive", before)
    registry.rollback("sentiment", by="ann")
    until(lambda: client.sentiment(["good"])[0].model == before)


def test_a_version_that_is_not_there_is_refused_with_nvidias_text(served: tuple[str, Registry]) -> None:
    stub = riva.NLPService(riva.Auth(uri=served[0])).stub
    asked = wire.NLPModelParams(model_name="sentiment@nothing")
    with pytest.raises(grpc.RpcError) as caught:
        stub.ClassifyText(wire.TextClassRequest(text=["x"], model=asked))
    assert "Model sentiment@nothing is not a Riva API model" in caught.value.details()


def test_the_pointer_says_who_did_what(served: tuple[str, Registry]) -> None:
    pointer = json.loads((served[1].root / "sentiment" / "current.json").read_text())
    assert [move["step"] for move in pointer["history"]] == ["promote", "rollback"]
    assert {move["by"] for move in pointer["history"]} == {"ann"}

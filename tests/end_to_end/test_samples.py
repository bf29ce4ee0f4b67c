"""The six sample calls through the whole pipeline: what was said, by whom, when, and how it felt."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import jiwer
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from pipeline.samples import Sample
from tests.end_to_end.conftest import Overtone

plain = EnglishTextNormalizer()


@pytest.fixture(scope="module")
def reports(ingested: Overtone) -> dict[str, dict[str, Any]]:
    """`overtone report --json` of every call, by the name of its file."""
    calls = json.loads(ingested.run("calls", "--json").stdout)
    return {call["source"]: json.loads(ingested.run("report", call["id"], "--json").stdout) for call in calls}


def truth(sample: Sample) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(sample.audio.with_suffix(".json").read_text(encoding="utf-8"))
    return loaded


def test_all_six_are_there(reports: dict[str, dict[str, Any]], sample_calls: list[Sample]) -> None:
    assert set(reports) == {sample.audio.name for sample in sample_calls}
    for report in reports.values():
        assert report["call"]["speakers"] == ["agent", "customer"]
        assert report["call"]["status"] == "complete"
        assert [s["index"] for s in report["sentences"]] == list(range(len(report["sentences"])))


def test_each_speaker_is_heard_right(reports: dict[str, dict[str, Any]], sample_calls: list[Sample]) -> None:
    said, heard = [], []
    for sample in sample_calls:
        for speaker in ("agent", "customer"):
            said.append(plain(" ".join(s["text"] for s in truth(sample)["sentences"] if s["speaker"] == speaker)))
            sentences = reports[sample.audio.name]["sentences"]
            heard.append(plain(" ".join(s["text"] for s in sentences if s["speaker"] == speaker)))
    assert jiwer.wer(said, heard) < 0.08


def test_sentences_lie_where_they_were_spoken(reports: dict[str, dict[str, Any]], sample_calls: list[Sample]) -> None:
    for sample in sample_calls:
        report = reports[sample.audio.name]
        assert report["call"]["duration_s"] == pytest.approx(truth(sample)["duration_s"], abs=0.1)
        starts = [s["start_s"] for s in report["sentences"]]
        assert starts == sorted(starts)
        for sentence in report["sentences"]:
            assert 0 <= sentence["start_s"] < sentence["end_s"] <= report["call"]["duration_s"]
            mine = [t for t in truth(sample)["sentences"] if t["speaker"] == sentence["speaker"]]
            middle = (sentence["start_s"] + sentence["end_s"]) / 2
            assert any(t["start_s"] - 0.5 <= middle <= t["end_s"] + 0.5 for t in mine), sentence["text"]
            for word in sentence["words"]:
                assert sentence["start_s"] <= word["start_s"] <= word["end_s"] <= sentence["end_s"]


def test_most_sentences_feel_as_they_should(reports: dict[str, dict[str, Any]], sample_calls: list[Sample]) -> None:
    right = total = 0
    for sample in sample_calls:
        for wanted in truth(sample)["sentences"]:
            middle = (wanted["start_s"] + wanted["end_s"]) / 2
            for found in reports[sample.audio.name]["sentences"]:
                if found["speaker"] == wanted["speaker"] and found["start_s"] <= middle <= found["end_s"]:
                    total += 1
                    right += found["sentiment"]["label"] == wanted["sentiment"]
                    assert sum(found["sentiment"]["scores"].values()) == pytest.approx(1, abs=1e-3)
                    assert found["sentiment"]["model"].startswith("sentiment@")
    assert total > 80
    assert right / total > 0.85


def test_ingesting_again_changes_nothing(ingested: Overtone, sample_calls: list[Sample]) -> None:
    before = ingested.run("calls", "--json").stdout
    again = ingested.run("ingest", sample_calls[0].audio.parent, "--json")
    rows = [json.loads(line) for line in again.stdout.splitlines()]
    assert [row["status"] for row in rows] == ["already"] * 6
    assert ingested.run("calls", "--json").stdout == before


def test_csv_holds_the_same_sentences(ingested: Overtone, reports: dict[str, dict[str, Any]]) -> None:
    report = reports["praise.ogg"]
    rows = list(csv.DictReader(io.StringIO(ingested.run("report", report["call"]["id"][:8], "--csv").stdout)))
    assert [row["text"] for row in rows] == [s["text"] for s in report["sentences"]]
    assert [row["sentiment"] for row in rows] == [s["sentiment"]["label"] for s in report["sentences"]]


def test_lists_for_people(ingested: Overtone, reports: dict[str, dict[str, Any]]) -> None:
    listed = ingested.run("calls", "--limit", "2").stdout.splitlines()
    assert len(listed) == 2
    shown = ingested.run("report", reports["outage.ogg"]["call"]["id"]).stdout
    assert "customer  neutral" in shown


def test_an_unknown_call_is_one_clear_line(ingested: Overtone) -> None:
    failed = ingested.run("report", "nosuchcall", code=1)
    assert failed.stderr.startswith("overtone: ")
    assert len(failed.stderr.splitlines()) == 1

"""One training run from config to shipped folder: read, train, quantise, calibrate, measure, publish."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from finetune import (
    calibrate,
    card,
    data,
    encoder,
    evaluate,
    exchange,
    export,
    intent_slot,
    model,
    nemo,
    punctuation,
    sentiment,
    train,
)
from finetune.config import Config, Source
from finetune.data import LABELS, Row
from finetune.evaluate import Floats, Interval
from finetune.machine import CPU, Machine

Say = Callable[[str], None]


@dataclass(frozen=True)
class Places:
    """Where a run reads and writes."""

    repository: Path
    datasets: Path
    work: Path  # encoder cache and checkpoints; may be removed after the run
    output: Path  # the shipped folder
    machine: Machine = CPU
    rows: Path = Path()  # rows that people's corrections make
    faults: tuple[str, ...] = ()  # of the config: told together with the defects of the data

    @property
    def roots(self) -> dict[str, Path]:
        """The folder of each root that a config names."""
        return {"repository": self.repository, "datasets": self.datasets, "rows": self.rows}

    def checkpoint(self, config: Config) -> Path:
        """Where a run of the config keeps its state until it is done."""
        return self.work / f"{config.task.replace('-', '_')}.checkpoint"


def moved(places: Places, output: Path) -> Places:
    """The same places with another folder for the model."""
    return dataclasses.replace(places, output=output)


def train_model(
    config: Config, places: Places, *, notes: str = "", on_step: Callable[[train.Step], None], say: Say
) -> None:
    """None; trains the config's task, or continues its checkpoint, and publishes the model to ``places.output``.

    Raises InputError with all defects of the data, ConfigError for a missing encoder or a foreign checkpoint; nothing
    is written to ``places.output`` before everything else is done. Of several processes the leading one publishes.
    """
    {"sentiment": _sentiment, "punctuation": _punctuation, "intent-slot": _intent_slot}[config.task](
        config, places, notes, on_step, say
    )
    if places.machine.leads:
        places.checkpoint(config).unlink(missing_ok=True)


def _sentiment(config: Config, places: Places, notes: str, on_step: Callable[[train.Step], None], say: Say) -> None:
    seed, settings = config.training.seed, config.training
    looked = {s.path: data.collect([s], places.roots, seed=seed, labels=LABELS) for s in (*config.dev, *config.report)}
    held = {path: found for path, (found, _) in looked.items()}
    judge = {"keep": sentiment.teacher(places.repository / config.teacher)} if config.teacher else {}
    rows, defects = data.collect(config.train, places.roots, seed=seed, labels=LABELS, **judge)
    read = len(rows)
    rows = data.without(rows, [row for rows in held.values() for row in rows])
    defects += [defect for _, found in looked.values() for defect in found]
    data.refuse(
        [*_of_config(places), *defects, *data.lacking((row.label for row in rows), LABELS, config.train[0].path)]
    )
    say(f"{len(rows)} rows to train on, {read - len(rows)} left out because they are held out elsewhere")
    folder = encoder.unpack(places.work)
    tokenizer = encoder.tokenizer(folder, config.encoder.max_tokens)
    torch.manual_seed(seed)
    trained = model.SentenceClassifier(encoder.read(folder, config.encoder), len(LABELS), config.encoder.dropout)
    model.freeze(trained, embeddings=config.encoder.freeze_embeddings, layers=config.encoder.freeze_layers)
    train.fit(
        trained,
        lambda epoch: sentiment.examples(rows, tokenizer, config.augmentation, seed=seed, epoch=epoch),
        sentiment.loss(settings.label_smoothing),
        settings,
        checkpoint=places.checkpoint(config),
        fingerprint=_fingerprint(config, rows),
        on_step=on_step,
        machine=places.machine,
    )
    if not places.machine.leads:
        return
    model.blend(trained, encoder.read(folder, config.encoder), config.encoder.blend)
    packed = _quantised(trained, ["logits"], places.work)
    opened = export.session(packed, threads=settings.threads)
    logits = {path: export.run(opened, [r.text for r in rows], tokenizer)[0] for path, rows in held.items()}
    plain = {path: sentiment.logits(trained, [r.text for r in rows], tokenizer) for path, rows in held.items()}
    dev = [s.path for s in config.dev]
    truth = {path: sentiment.truth(rows) for path, rows in held.items()}
    biases = config.class_biases
    fitted = calibrate.fit(
        np.concatenate([logits[p] for p in dev]), np.concatenate([truth[p] for p in dev]), biases=biases
    )
    metrics = {
        Path(path).stem: _measured(held[path], logits[path], plain[path], fitted, cross=path in dev, biases=biases)
        for path in held
    }
    numbers = {
        "calibration": {"temperature": fitted.temperature, "bias": list(fitted.bias)},
        "speed": {"milliseconds_per_sentence": _pace(tokenizer, [row.text for row in held[dev[0]]], packed)},
        "metrics": metrics,
        "data": _counts(config.train, rows),
    }
    described = {
        "name": "sentiment", "version": config.version, "task": "text-classification", "format": "onnx-int8",
        "labels": list(LABELS), "max_tokens": config.encoder.max_tokens, **numbers, "licence": "Apache-2.0",
    }  # fmt: skip
    export.publish(places.output, packed, tokenizer, described, card.sentiment(described, config, notes))
    say(f"published {places.output}")


def _punctuation(config: Config, places: Places, notes: str, on_step: Callable[[train.Step], None], say: Say) -> None:
    seed, settings = config.training.seed, config.training
    held, defects = data.collect(config.dev, places.roots, seed=seed, labels=())
    rows, more = data.collect(config.train, places.roots, seed=seed, labels=())
    data.refuse([*_of_config(places), *defects, *more])
    rows = data.without(rows, held)
    folder = encoder.unpack(places.work)
    tokenizer = encoder.tokenizer(folder, config.encoder.max_tokens)
    pieces, dev_pieces = punctuation.texts(rows), punctuation.texts(held)
    say(f"{len(pieces)} punctuated texts to train on, {len(dev_pieces)} to measure with")
    torch.manual_seed(seed)
    trained = model.WordTagger(
        encoder.read(folder, config.encoder), len(punctuation.MARKS), len(punctuation.CASES), config.encoder.dropout
    )
    model.freeze(trained, embeddings=config.encoder.freeze_embeddings, layers=config.encoder.freeze_layers)
    kept = {"max_tokens": config.encoder.max_tokens, "seed": seed}
    train.fit(
        trained,
        lambda epoch: punctuation.examples(pieces, tokenizer, epoch=epoch, **kept),
        punctuation.loss(settings.label_smoothing),
        settings,
        checkpoint=places.checkpoint(config),
        fingerprint=_fingerprint(config, rows),
        on_step=on_step,
        machine=places.machine,
    )
    if not places.machine.leads:
        return
    packed = _quantised(trained, ["punctuation", "casing"], places.work)
    opened = export.session(packed, threads=settings.threads)
    dev = punctuation.examples(dev_pieces, tokenizer, epoch=0, **kept)
    got: list[list[Floats]] = [[], []]
    gap = 0.0
    for example in dev:
        ids, mask = model.pad([example.ids])
        with torch.inference_mode():
            exact = [part[0].numpy() for part in trained(ids, mask)]
        outputs = opened.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
        for head, part in enumerate(outputs):
            got[head].append(part[0])
            gap += float((part[0].argmax(-1) != exact[head].argmax(-1)).sum()) / len(ids[0]) / 2
    metrics = {}
    for head, (name, labels) in enumerate((("punctuation", punctuation.MARKS), ("casing", punctuation.CASES))):
        true, said = punctuation.labelled(dev, got[head], head)
        metrics[name] = _told(evaluate.report(true, said, labels))
    metrics["int8_disagrees"] = {"share_of_tokens": gap / max(1, len(dev))}
    described = {
        "name": "punctuation", "version": config.version, "task": "punctuation", "format": "onnx-int8",
        "labels": {"punctuation": list(punctuation.MARKS), "casing": list(punctuation.CASES)},
        "max_tokens": config.encoder.max_tokens, "metrics": metrics, "data": _counts(config.train, rows),
        "licence": "Apache-2.0",
    }  # fmt: skip
    export.publish(places.output, packed, tokenizer, described, card.punctuation(described, config, notes))
    say(f"published {places.output}")


def _intent_slot(config: Config, places: Places, notes: str, on_step: Callable[[train.Step], None], say: Say) -> None:
    seed, settings = config.training.seed, config.training
    known = nemo.known_labels(config.train, [*config.dev, *config.report], places.roots)
    held, defects = nemo.collect(config.dev, places.roots, known, seed=seed)
    told, others = nemo.collect((config.report or config.dev)[:1], places.roots, known, seed=seed)
    also = {Path(s.path).stem: nemo.collect([s], places.roots, known, seed=seed) for s in config.report[1:]}
    rows, more = nemo.collect(config.train, places.roots, known, seed=seed)
    rows = nemo.without(rows, [*held, *told, *(row for found, _ in also.values() for row in found)])
    defects += [*others, *(defect for _, bad in also.values() for defect in bad)]
    ours = any(source.format == "nemo" for source in config.train)  # public sets have intents with one sentence
    lacking = data.lacking((row.intent for row in rows), known.intents, config.train[0].path) if ours else []
    data.refuse([*_of_config(places), *defects, *more, *lacking])
    values = exchange.read(places.repository / config.values) if config.values else {}
    say(f"{len(rows)} sentences to train on, {len(held)} to set the threshold, {len(told)} to measure with")
    folder = encoder.unpack(places.work)
    tokenizer = encoder.tokenizer(folder, config.encoder.max_tokens)
    torch.manual_seed(seed)
    trained = model.IntentSlots(
        encoder.read(folder, config.encoder), len(known.intents), len(known.slots), config.encoder.dropout
    )
    model.freeze(trained, embeddings=config.encoder.freeze_embeddings, layers=config.encoder.freeze_layers)
    train.fit(
        trained,
        lambda epoch: intent_slot.examples(rows, tokenizer, known, config.augmentation, values, seed=seed, epoch=epoch),
        intent_slot.loss(settings.label_smoothing),
        settings,
        checkpoint=places.checkpoint(config),
        fingerprint=_hash(
            [
                dataclasses.asdict(config),
                [dataclasses.astuple(row) for row in rows],
                [[*key, len(others)] for key, others in values.items()],
            ]
        ),
        on_step=on_step,
        machine=places.machine,
    )
    if not places.machine.leads:
        return
    model.blend(trained, encoder.read(folder, config.encoder), config.encoder.blend)
    packed = _quantised(trained, ["intent", "slots"], places.work)
    opened = export.session(packed, threads=settings.threads)

    def exact(ids: torch.Tensor, mask: torch.Tensor) -> Any:
        with torch.inference_mode():
            return [part.numpy() for part in trained(ids, mask)]

    def quick(ids: torch.Tensor, mask: torch.Tensor) -> Any:
        return opened.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})

    carries = intent_slot.carried(rows)
    logits, chances = intent_slot.outputs(quick, held, tokenizer, known)
    rule = intent_slot.energy(held, logits, known)
    turn = intent_slot.turn(held, chances, known, carries)
    found, plain = (
        intent_slot.measured(told, intent_slot.outputs(run, told, tokenizer, known), known, rule, carries, turn)
        for run in (quick, exact)
    )
    for name, (sentences, _) in also.items():
        outcome = intent_slot.outputs(quick, sentences, tokenizer, known)
        figures = intent_slot.measured(sentences, outcome, known, rule, carries, turn)
        found.setdefault("also", {})[name] = {k: v for k, v in figures.items() if k not in ("intents", "slots")}
    described = {
        "name": "intent_slot", "version": config.version, "task": "intent-slot", "format": "onnx-int8",
        "labels": {"intents": list(known.intents), "slots": list(known.slots)},
        "domains": {intent: intent_slot.domain(intent) for intent in known.intents},
        "max_tokens": config.encoder.max_tokens,
        "carries": carries,
        "energy": rule,
        "decoding": {"turn": turn},
        "speed": {"milliseconds_per_sentence": _pace(tokenizer, [row.text for row in told], packed)},
        "metrics": found | {"fp32": {name: plain[name][0] for name in intent_slot.HEADLINES if name in plain}},
        "data": _counts(config.train, rows), "licence": "Apache-2.0",
    }  # fmt: skip
    export.publish(places.output, packed, tokenizer, described, card.intent_slot(described, config, notes))
    say(f"published {places.output}")


def _of_config(places: Places) -> list[data.Defect]:
    """The faults of the config as defects: ``file:line: what``."""
    made = []
    for fault in places.faults:
        path, line, what = fault.split(":", 2)
        made.append(data.Defect(path, int(line), what.strip()))
    return made


def _measured(
    rows: Sequence[Row], logits: Floats, plain: Floats, fitted: calibrate.Calibration, *, cross: bool, biases: bool
) -> dict[str, Any]:
    """The figures of the int8 model on one set; on dev sets the calibration is fitted without the row's own call."""
    truth = sentiment.truth(rows)
    groups = [row.call or str(row.line) for row in rows]

    def chances_of(said: Floats) -> Floats:
        return (
            calibrate.cross_fit(said, truth, groups, biases=biases) if cross else calibrate.probabilities(said, fitted)
        )

    chances, exact = chances_of(logits), chances_of(plain)
    made = _told(evaluate.report(truth, chances.argmax(1), LABELS, groups=groups))
    made["expected_calibration_error"] = calibrate.expected_error(chances, truth)
    fp32 = evaluate.confusion(truth, exact.argmax(1), len(LABELS))
    made["fp32"] = {"accuracy": evaluate.accuracy(fp32), "macro_f1": evaluate.macro_f1(fp32)}
    if not (truth == 1).any():
        # A set without neutral rows asks only which of the two poles is nearer.
        nearer = np.where(chances[:, 2] > chances[:, 0], 2, 0)
        made["two_way_accuracy"] = _interval(evaluate.bootstrap(truth, nearer, len(LABELS), evaluate.accuracy))
    speakers = np.array([row.speaker for row in rows])
    for speaker in sorted({s for s in speakers if s}):
        part = speakers == speaker
        counts = evaluate.confusion(truth[part], chances[part].argmax(1), len(LABELS))
        made[speaker] = {"rows": int(part.sum()), "macro_f1": evaluate.macro_f1(counts)}
    return made


def _told(report: evaluate.Report) -> dict[str, Any]:
    """A report as JSON: intervals as [value, low, high]."""
    return {
        "rows": report.rows,
        "accuracy": _interval(report.accuracy),
        "macro_f1": _interval(report.macro_f1),
        "classes": {c.label: {k: v for k, v in dataclasses.asdict(c).items() if k != "label"} for c in report.classes},
        "confusion": [list(row) for row in report.confusion],
    }  # fmt: skip


def _interval(found: Interval) -> list[float]:
    return [found.value, found.low, found.high]


def _quantised(trained: nn.Module, outputs: Sequence[str], work: Path) -> Path:
    """The int8 file of the model, in the work folder."""
    exact, packed = work / "model.fp32.onnx", work / "model.int8.onnx"
    export.onnx(trained, outputs, exact)
    export.int8(exact, packed)
    return packed


def _pace(tokenizer: Any, texts: Sequence[str], packed: Path) -> float:
    """Milliseconds per sentence at batch 1 on one thread, tokenising included; the median of the texts."""
    opened = export.session(packed)
    taken = []
    for text in texts[:200]:
        started = time.perf_counter()
        export.run(opened, [text], tokenizer)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken) * 1000)


def _fingerprint(config: Config, rows: Sequence[Row]) -> str:
    """A hash of what decides the weights: config and rows."""
    return _hash([dataclasses.asdict(config), [(r.label, r.text, r.repeat, r.weight) for r in rows]])


def _hash(told: Any) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _counts(sources: Sequence[Source], rows: Sequence[Row | nemo.Tagged]) -> Mapping[str, int]:
    """The number of training rows of each source, by the name of its file."""
    found = Counter(row.path for row in rows)
    return {Path(s.path).stem: found[s.path] for s in sources}

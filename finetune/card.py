"""Model cards: what a shipped model is, what it learnt from, and how good it is (pure text)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from finetune.config import Config, Source

_SETS = {
    "calls_dev": "calls, as written",
    "calls_dev_asr": "calls, ASR text",
    "tweeteval_val": "tweets (TweetEval val)",
    "sst2_dev": "film reviews (SST-2 dev)",
    "sst3_dev": "film reviews (SST, 3 classes)",
    "airline_dev": "airline tweets",
    "calls_natural": "call sentences written blind, as written",
    "calls_natural_asr": "call sentences written blind, ASR text",
    "calls_unseen": "call sentences by a second such writer",
    "calls_nuances_dev": "the hard middle of calls",
    "posts_dev": "posts in the manner of tweets",
    "natural": "natural requests written by somebody who saw only the label policy",
    "everyday": "natural requests by another such writer",
}
_SENTIMENT = """# {name} {version}: sentiment of one spoken sentence

Three classes: negative, neutral, positive. Fine-tuned from all-MiniLM-L6-v2 (Apache-2.0, 22.7 M parameters), int8
ONNX, {pace:.1f} ms a sentence at batch 1 on one core (median, on the machine that trained it).

## What a label means

The label is the speaker's attitude expressed by the words of the sentence, as a careful listener would judge it
without context; not whether the facts are good or bad. Questions, facts, requests and problem statements without
feeling, routine courtesies and an agent's routine apology are neutral; sarcasm and negation count by their meaning.

## Figures

Percent, with 95 % bootstrap interval (whole calls are drawn where rows have a call). Measured on the int8 file. On
calls the calibration is fitted without the measured row's own call. ECE: expected calibration error, 15 bins.

| set | rows | accuracy | macro-F1 | ECE | fp32 macro-F1 |
|---|---|---|---|---|---|
"""
_PUNCTUATION = """# {name} {version}: marks and capitals for recognised text

For each word the mark after it (none, comma, full stop, question mark) and its writing (lower, Capital, UPPER). The
bottom {layers} layers of all-MiniLM-L6-v2 (Apache-2.0) with two linear heads, int8 ONNX, read at a word's first token.

## Figures

Percent, on the development calls (runs of one to four sentences, lower-cased, marks removed), int8 file.

| label | precision | recall | F1 | words |
|---|---|---|---|---|
"""
_INTENT_SLOT = """# {name} {version}: what a caller asks for, and with which values

{intents} intents and {slots} slots{subject}, in one run. all-MiniLM-L6-v2
(Apache-2.0, 22.7 M parameters) with two linear heads, int8 ONNX, {pace:.1f} ms a sentence at batch 1 on one core
(median, on the machine that trained it). Input: lower-case words without punctuation, apostrophes kept; the intent
from the mean of all tokens, BIO tags at each word's first token. The tags are read as the likeliest row of whole
spans, of slots that the intent can carry (`carries` in model.json).

{scope}## Figures

Percent, with 95 % bootstrap interval over sentences; int8 file, {rows} {measured_on}

| measure | int8 | fp32 |
|---|---|---|
"""
_SCOPE = """A sentence is out of scope, and its intent `unknown`, when {weight:g} times the logit of `unknown` minus
the log of the sum of the other intents' exponentials is above {threshold:.3f}.

"""
_OWN_SENTENCES = """hand-written sentences that were written apart
from the training sentences and are harder. Settings of training and decoding were chosen with an eye on them, so
expect a little less on others. """
_HEADLINES = {
    "intent_accuracy": "intent accuracy, all {intents} labels",
    "intent_accuracy_dialog_as_unknown": "intent accuracy, dialog control counted as unknown",
    "slot_f1": "slot F1, whole spans (conlleval)",
    "sentence_accuracy": "sentences with intent and all slots right",
    "out_of_scope_recall": "out of scope found, at 5 % false rejection",
}
_THRESHOLD_SET = {
    True: "The threshold rejects 5 % of other sentences in scope,\nwhich were not trained on either.",
    False: "The threshold rejects 5 % of these very sentences\nin scope, so that what concerns it is flattering.",
}
_LEARNT = """
## Learnt from

Only commercially usable sets and sentences written for this project; any other set named above was measured only.

| source | rows | times an epoch | weight |
|---|---|---|---|
{sources}

{epochs} epochs, batch {batch_size}, AdamW {learning_rate:g} (heads {head_learning_rate:g}, x{layer_decay:g} a layer
downwards), seed {seed}; embeddings {embeddings}, bottom {frozen} layers frozen.
Made by `python -m finetune train --config finetune/configs/{config}.yml --datasets FOLDER`.

Licence: Apache-2.0. GoEmotions (Google, Apache-2.0); Sentiment Labelled Sentences (Kotzias et al. 2015, CC BY 4.0);
BANKING77, NLU++ (PolyAI, CC BY 4.0); CLINC150 (Larson et al. 2019, CC BY 3.0); HWU64 (Liu et al. 2019, CC BY 4.0);
SNIPS (CC0).
"""


def sentiment(described: Mapping[str, Any], config: Config, notes: str) -> str:
    """The Markdown card of the sentiment model; ``notes`` are appended as they are."""
    sets = {_SETS.get(name, name): found for name, found in described["metrics"].items()}
    lines = [
        f"| {name} | {found['rows']} | {_spread(found['accuracy'])} | {_spread(found['macro_f1'])} "
        f"| {_percent(found['expected_calibration_error'])} | {_percent(found['fp32']['macro_f1'])} |"
        for name, found in sets.items()
    ]
    for name, found in sets.items():
        if "two_way_accuracy" in found:
            lines += ["", f"{name}, positive against negative only: {_spread(found['two_way_accuracy'])}."]
    lines += ["", "| macro-F1 by speaker | agent | customer |", "|---|---|---|"]
    lines += [
        f"| {name} | {_percent(found['agent']['macro_f1'])} | {_percent(found['customer']['macro_f1'])} |"
        for name, found in sets.items()
        if "agent" in found and "customer" in found
    ]
    lines += ["", "| calls by label, as written | precision | recall | F1 | rows |", "|---|---|---|---|---|"]
    lines += _classes(described["metrics"].get("calls_dev", {}).get("classes", {}))
    head = _SENTIMENT.format(**described, pace=described["speed"]["milliseconds_per_sentence"])
    return head + "\n".join(lines) + "\n" + _learnt(described, config) + notes


def punctuation(described: Mapping[str, Any], config: Config, notes: str) -> str:
    """The Markdown card of the punctuation model; ``notes`` are appended as they are."""
    lines = []
    for head in ("punctuation", "casing"):
        found = described["metrics"][head]
        lines += _classes({f"{head}: {label or 'none'}": score for label, score in found["classes"].items()})
        lines.append(f"| {head}: macro-F1 | | | {_spread(found['macro_f1'])} | {found['rows']} |")
    top = _PUNCTUATION.format(**described, layers=config.encoder.layers)
    return top + "\n".join(lines) + "\n" + _learnt(described, config) + notes


def intent_slot(described: Mapping[str, Any], config: Config, notes: str) -> str:
    """The Markdown card of the intent and slot model; ``notes`` are appended as they are."""
    found, intents, rule = described["metrics"], len(described["labels"]["intents"]), described["energy"]
    scope = _SCOPE.format(weight=rule["unknown_weight"], threshold=rule["threshold"]) if rule else ""
    of_ours = _OWN_SENTENCES + _THRESHOLD_SET[bool(config.report)]
    measured = PurePosixPath((config.report or config.dev)[0].path).stem
    top = _INTENT_SLOT.format(
        **{name: described[name] for name in ("name", "version")},
        intents=intents,
        slots=len(described["labels"]["slots"]) // 2,
        subject=" of a retail, weather and places assistant" if rule else "",
        pace=described["speed"]["milliseconds_per_sentence"],
        scope=scope,
        rows=found["rows"],
        measured_on=of_ours if rule else f"sentences of {measured}.",
    )
    lines = [
        f"| {title.format(intents=intents)} | {_spread(found[name])} | {_percent(found['fp32'][name])} |"
        for name, title in _HEADLINES.items()
        if name in found
    ]
    if rule:
        lines.append(f"| out of scope found, with the shipped threshold | {_percent(found['out_of_scope_found'])} | |")
        lines.append(f"| false rejection, with the shipped threshold | {_percent(found['false_rejection'])} | |")
    for name, other in found.get("also", {}).items():
        lines += ["", f"| {_SETS.get(name, name)} ({other['rows']} sentences) | int8 |", "|---|---|"]
        lines += [
            f"| {title.format(intents=intents)} | {_spread(other[key])} |"
            for key, title in _HEADLINES.items()
            if key in other
        ]
        if rule:
            lines.append(
                f"| out of scope found, with the shipped threshold | {_percent(other['out_of_scope_found'])} |"
            )
            lines.append(f"| false rejection, with the shipped threshold | {_percent(other['false_rejection'])} |")
    for part in ("intents", "slots"):
        lines += ["", f"| {part} | precision | recall | F1 | rows |", "|---|---|---|---|---|", *_classes(found[part])]
    return top + "\n".join(lines) + "\n" + _learnt(described, config) + notes


def _classes(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [
        f"| {label} | {_percent(score['precision'])} | {_percent(score['recall'])} | {_percent(score['f1'])} "
        f"| {score['rows']} |"
        for label, score in found.items()
    ]


def _learnt(described: Mapping[str, Any], config: Config) -> str:
    """The sections on data, training and licence."""
    by_name: dict[str, list[Source]] = {}
    for source in config.train:
        by_name.setdefault(PurePosixPath(source.path).stem, []).append(source)
    listed = [
        f"| {name} | {rows} | {_each(s.repeat for s in by_name[name])} | {_each(s.weight for s in by_name[name])} |"
        for name, rows in described["data"].items()
    ]
    training = config.training
    return _LEARNT.format(
        sources="\n".join(listed),
        config=config.task.replace("-", "_"),
        epochs=training.epochs,
        batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        head_learning_rate=training.head_learning_rate,
        layer_decay=training.layer_decay,
        seed=training.seed,
        embeddings="frozen" if config.encoder.freeze_embeddings else "trained",
        frozen=config.encoder.freeze_layers,
    )


def _each(numbers: Iterable[float]) -> str:
    return " or ".join(f"{number:g}" for number in sorted(set(numbers)))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _spread(interval: list[float]) -> str:
    value, low, high = map(_percent, interval)
    return f"{value} ({low} to {high})"

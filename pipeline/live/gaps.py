"""What is missing in a live call, as lines of its transcript."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.calls import Call, Sentence
from pipeline.live.intake import Gap

_MARKED_S = 0.5  # a gap this long is marked in the transcript; shorter ones are clicks


def mark(gap: Gap, call: Call, index: int) -> Sentence:
    """The line of the transcript that says what is missing; it has no words, no recogniser and no labels."""
    return Sentence(
        call_id=call.id,
        index=index,
        channel=gap.channel,
        speaker=call.speakers[gap.channel - 1],
        text=f"[{gap.length_s:.1f} s missing: {gap.reason}]",
        start_s=gap.start_s,
        end_s=gap.end_s,
    )


def is_marked(gap: Gap) -> bool:
    """Whether a gap is long enough for the transcript."""
    return gap.length_s >= _MARKED_S


def with_gaps(sentences: Sequence[Sentence], gaps: Iterable[Gap], call: Call) -> list[Sentence]:
    """The sentences, and the marks of the gaps between them, in the order of the conversation and numbered so."""
    marks = [mark(gap, call, 0) for gap in gaps if is_marked(gap)]
    ordered = sorted([*sentences, *marks], key=lambda one: (one.start_s, one.channel))
    return [replace(sentence, index=index) for index, sentence in enumerate(ordered)]

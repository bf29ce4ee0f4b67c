"""What the open question wants to hear, so that a short or misheard answer can be understood in its light. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pipeline.dialog.flows import Confirm, Flows, Question
from pipeline.dialog.text import normal, opening_of
from pipeline.dialog.values import DialogState

CHOICES = "choices"  # the context key under which an action says what it has found several of


@dataclass(frozen=True)
class Asked:
    """``slots`` that would answer the question, and whether "yes" or "no" would; the words around an answer.

    ``phrases`` are utterances that are known for certain, whatever was asked, and ``openings`` how such ones begin;
    ``choices`` are what was offered.
    """

    slots: frozenset[str] = frozenset()
    yes_or_no: bool = False
    small_words: Collection[str] = ()
    fillers: Collection[str] = ()
    phrases: Collection[str] = ()
    choices: tuple[str, ...] = ()
    openings: Collection[str] = ()

    def is_phrase(self, text: str) -> bool:
        """Whether the flows themselves know what the whole utterance means."""
        words = normal(text, self.fillers)
        return not words or words in self.phrases or bool(opening_of(words, self.openings))


def asked(flows: Flows, state: DialogState) -> Asked:
    """What would answer the question that the conversation waits at; no slots where nothing definite was asked."""
    node = flows.states.get(state.at)
    slots: frozenset[str] = frozenset()
    if isinstance(node, Question):
        slots = frozenset((*node.entities.values(), *node.match_any))
    elif isinstance(node, Confirm) and node.key:
        slots = frozenset((node.key,))
    offered = state.context.get(CHOICES, ())
    choices = (offered,) if isinstance(offered, str) else offered
    return Asked(
        slots, isinstance(node, Confirm), flows.small_words, flows.fillers, flows.phrases, choices, flows.openings
    )

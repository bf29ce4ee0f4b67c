"""Changes of a training sentence towards what a recogniser writes: no marks, fillers, misheard words (pure)."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from finetune.config import Augmentation

_FILLERS = ("uh", "um", "you know", "i mean", "well", "like", "okay so", "er")
# Pairs that recognisers of telephone speech confuse; either side may replace the other.
_HOMOPHONES = (
    "your you're, their there, its it's, to too, two to, four for, know no, right write, here hear, by buy, weak week, "
    "hour our, whether weather, bill bell, fee free, than then, would wood, been being, charge charged, plan planned, "
    "phone fone, service servers, cancel council, and an, them him, say said, card cart, paid pay, mail male, "
    "wait weight, are our, won one, new knew, hold whole, seen scene, made maid, through threw, some sum, sent cent"
)
_CONFUSED = {a: b for pair in _HOMOPHONES.split(", ") for a, b in (pair.split(), pair.split()[::-1])}
# Losing one of these changes no meaning; "not" and its kind are never lost.
_SHORT = frozenset(("a", "an", "the", "is", "are", "was", "of", "to", "and", "it", "i", "that", "for", "in", "on"))


def plain(text: str) -> str:
    """The text in lower case without punctuation, apostrophes inside words kept."""
    spaced = re.sub(r"(?<=\w)[-/](?=\w)", " ", text.lower())
    return " ".join(re.sub(r"(?<!\w)'|'(?!\w)|[^\w\s']", "", spaced).split())


def misheard(text: str, rng: random.Random, rate: float = 0.08) -> str:
    """The text with about ``rate`` of its words confused or, when short, lost; at least one where possible."""
    words = text.split()
    places = [i for i, word in enumerate(words) if word in _CONFUSED or word in _SHORT]
    if not places:
        return text
    for i in rng.sample(places, min(len(places), max(1, round(rate * len(words))))):
        word = words[i]
        lost = word in _SHORT and (word not in _CONFUSED or rng.random() < 0.5)
        words[i] = "" if lost else _CONFUSED[word]
    return " ".join(word for word in words if word) or text


def hesitant(text: str, rng: random.Random) -> str:
    """The text with one filler or one word said twice."""
    words = text.split()
    place = rng.randrange(len(words))
    if rng.random() < 0.4:
        words.insert(place, words[place])
    else:
        words.insert(0 if rng.random() < 0.5 else place, rng.choice(_FILLERS))
    return " ".join(words)


def augment(text: str, rng: random.Random, shares: Augmentation) -> str:
    """One variant of the sentence; never empty where ``text`` has a letter or digit."""
    if rng.random() >= shares.plain:
        return text
    changed = plain(text)
    if not changed:
        return text
    if rng.random() < shares.asr_noise:
        changed = misheard(changed, rng)
    if rng.random() < shares.fillers:
        changed = hesitant(changed, rng)
    return changed


def augment_words(
    words: Sequence[str], tags: Sequence[str], rng: random.Random, shares: Augmentation
) -> tuple[list[str], list[str]]:
    """One variant of words with a BIO tag each, and its tags; never empty where ``words`` is not.

    A slot's words may be confused but never lost, and fillers stand outside of slots: each slot stays a whole span.
    """
    said, kept = list(words), list(tags)
    if rng.random() < shares.asr_noise:
        places = [i for i, word in enumerate(said) if word in _CONFUSED or (word in _SHORT and kept[i] == "O")]
        for i in rng.sample(places, min(len(places), max(1, round(0.08 * len(said))))):
            lost = said[i] in _SHORT and kept[i] == "O" and (said[i] not in _CONFUSED or rng.random() < 0.5)
            said[i] = "" if lost and len(said) > 1 else _CONFUSED.get(said[i], said[i])
        left = [i for i, word in enumerate(said) if word] or [0]
        said, kept = [said[i] or words[i] for i in left], [kept[i] for i in left]
    if rng.random() < shares.fillers:
        outside = [i for i in range(len(said)) if not kept[i].startswith("I-")]
        place = rng.choice(outside)
        again = rng.random() < 0.4 and kept[place] == "O"
        extra = [said[place]] if again else rng.choice(_FILLERS).split()
        place = place if again or rng.random() < 0.5 else 0
        said[place:place] = extra
        kept[place:place] = ["O"] * len(extra)
    return said, kept

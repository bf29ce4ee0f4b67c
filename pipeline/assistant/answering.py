"""What a short or misheard answer means in the light of the question that is open: "16" is how many, "pears" Paris.

A model hears every utterance as if it were the first. What was asked says more about two words than they do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from jellyfish import metaphone

from fulfillment.cities import Cities
from fulfillment.errors import AmbiguousError, NotFoundError
from fulfillment.requests import is_here
from fulfillment.words import figures, fold
from pipeline.calls import Intent, Slot
from pipeline.dialog import Asked
from pipeline.dialog.heard import NO, YES
from pipeline.dialog.text import normal

UNKNOWN = "unknown"
LOCATION, QUANTITY = "location", "item.quantity"
MOST_WORDS_OF_A_NAME = 4
SHORT = 3  # words; a model that was taught sentences guesses at fewer
SURE = 0.8  # score that a short utterance's intent or one of its slots must have
CERTAIN = 0.95  # score of a place that is kept whether or not anybody knows it
_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NUMBER = re.compile(r"\d{1,4}")
_AS_NUMBERS = {"to": "two", "too": "two", "for": "four", "fore": "four", "won": "one", "ate": "eight", "sex": "six"}
_SOUNDS = {"N": NO, "YS": YES}  # of "know" and "yas"
_LONGEST_SOUND = 4  # letters
_AS_IN = frozenset(("in", "and", "an", "end", "at", "for", "on"))  # as a recogniser may write "in"
_LEAST_LETTERS = 5  # of a place that was missed: "nice" is one, too
_HERE = frozenset(("here", "nearby"))
_AROUND_HERE = _HERE | {"where", "right", "close"}


def in_context(found: Intent, text: str, asked: Asked, cities: Cities, *, heard: bool) -> Intent:
    """The intent as the open question lets it be understood; what it adds is in the person's own words.

    ``heard`` says that a recogniser wrote the text: typed words are taken by their letters.
    """
    if asked.is_phrase(text):
        return found
    said = normal(text, asked.fillers)
    if asked.yes_or_no and heard and len(said) <= _LONGEST_SOUND and found.name not in (YES, NO):
        meant = _SOUNDS.get(metaphone(said), "")
        if meant:
            return replace(found, name=meant, slots=())
    found = _doubted(found, text)
    if QUANTITY in asked.slots and (number := _number(found, text, asked)):
        return replace(found, slots=(number,))
    if LOCATION in asked.slots:
        found = _chosen(_placed(found, text, asked, cities, heard=heard), asked)
    return _with_heard_places(found, text, asked, cities) if heard else found


def _doubted(found: Intent, text: str) -> Intent:
    """The intent, or unknown where it is a guess at very few words ("fribble"): on held-out ones this costs none."""
    short = len(_WORDS.findall(text)) <= SHORT
    if not short or found.score >= SURE or any(slot.score >= SURE for slot in found.slots):
        return found
    return replace(found, name=UNKNOWN, slots=())


def _number(found: Intent, text: str, asked: Asked) -> Slot | None:
    """The quantity that the whole utterance is; None where the model has found one, or there is none."""
    if any(slot.name == QUANTITY for slot in found.slots):
        return None
    alone = normal(text, asked.fillers)
    if alone in _AS_NUMBERS:
        return Slot(QUANTITY, _AS_NUMBERS[alone], text, 0, len(text), found.score)
    core = _core(text, asked)
    if core is None or not _NUMBER.fullmatch(figures(text[slice(*core)])):
        return None
    words = text[slice(*core)]
    return Slot(QUANTITY, words, words, *core, found.score)


def _placed(found: Intent, text: str, asked: Asked, cities: Cities, *, heard: bool) -> Intent:
    """The answer to "which city?": a place by its name, "here", or what sounds like a name: the flow asks about it."""
    if any(slot.name == LOCATION and (is_here(slot.text) or known(cities, slot.text)) for slot in found.slots):
        return found
    left = set(fold(text).split()) - set(asked.small_words)
    if left & _HERE and left <= _AROUND_HERE:
        return replace(found, slots=(Slot(LOCATION, "here", text, 0, len(text), found.score),))
    core = _core(text, asked)
    if core is None or len(_WORDS.findall(text[slice(*core)])) > MOST_WORDS_OF_A_NAME:
        return found
    places = [core] if known(cities, text[slice(*core)]) else []
    if not places and heard and _may_be_a_name(found, text, core):
        places = [span for span in (core, (0, len(text))) if cities.sounding_like(text[slice(*span)])]
    if not places:
        return found
    words = text[slice(*places[0])]
    return replace(found, slots=(Slot(LOCATION, words, words, *places[0], found.score),))


def _chosen(found: Intent, asked: Asked) -> Intent:
    """A place that tells one of those offered from the others, as that one: of two Springfields, "Illinois" is one."""

    def meant(slot: Slot) -> Slot:
        said = fold(slot.text)
        fitting = [choice for choice in asked.choices if said and said == fold(choice.partition(",")[2])]
        return replace(slot, value=fitting[0]) if slot.name == LOCATION and len(fitting) == 1 else slot

    return replace(found, slots=tuple(map(meant, found.slots)))


def _with_heard_places(found: Intent, text: str, asked: Asked, cities: Cities) -> Intent:
    """The intent without doubtful places beside known ones ("Bullock, rain in Denver"), and with one that was missed.

    "Will it rain and seeattle": the last words, after a short one that may have been "in", nearly spell a place.
    """
    places = [slot for slot in found.slots if slot.name == LOCATION]
    sure = [slot for slot in places if slot.score >= CERTAIN or known(cities, slot.text)]
    if sure and len(sure) < len(places):
        return replace(found, slots=tuple(slot for slot in found.slots if slot.name != LOCATION or slot in sure))
    if places or found.name == UNKNOWN:
        return found
    words = list(_WORDS.finditer(text))
    while words and any(slot.start < words[-1].end() and words[-1].start() < slot.end for slot in found.slots):
        words.pop()  # "... tomorrow"
    for count in range(min(MOST_WORDS_OF_A_NAME, len(words) - 2), 0, -1):
        name, before = words[-count:], words[-count - 1]
        start, end = name[0].start(), name[-1].end()
        taken = any(slot.start < end and start < slot.end for slot in found.slots)
        if (
            taken
            or _plain(before) not in _AS_IN
            or _plain(name[0]) in asked.small_words
            or end - start < _LEAST_LETTERS
        ):
            continue
        if known(cities, text[start:end]):
            return replace(
                found, slots=(*found.slots, Slot(LOCATION, text[start:end], text[start:end], start, end, 0.0))
            )
    return found


def _may_be_a_name(found: Intent, text: str, core: tuple[int, int]) -> bool:
    """Whether nothing was understood, or one slot of another kind that is the whole answer: no request by itself."""
    if found.name == UNKNOWN:
        return True
    return len(found.slots) == 1 and len(_WORDS.findall(text[slice(*core)])) <= len(_WORDS.findall(found.slots[0].text))


def known(cities: Cities, words: str) -> bool:
    """Whether the words name a place on the list, or several, nearly spelt as they are."""
    try:
        cities.find(words)
    except AmbiguousError:
        return True
    except NotFoundError:
        return False
    return True


def _core(text: str, asked: Asked) -> tuple[int, int] | None:
    """Where the words of an answer stand without small ones before and after them; None without any others."""
    words = list(_WORDS.finditer(text))
    around = {*asked.small_words, *asked.fillers}
    while words and _plain(words[0]) in around:
        words.pop(0)
    while words and _plain(words[-1]) in around:
        words.pop()
    return _span(words)


def _span(words: Sequence[re.Match[str]]) -> tuple[int, int] | None:
    return (words[0].start(), words[-1].end()) if words else None


def _plain(word: re.Match[str]) -> str:
    return word[0].replace("’", "'").lower()

"""What a person said or typed, made fit to be understood, and understood."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from rapidfuzz import fuzz

from fulfillment.cities import Cities
from fulfillment.errors import AmbiguousError, NotFoundError
from fulfillment.requests import is_here
from fulfillment.values import normalise
from fulfillment.words import fold
from pipeline.asr import Expected
from pipeline.assistant.answering import UNKNOWN, in_context, known
from pipeline.assistant.expecting import Expectations, words_of
from pipeline.calls import Intent, Slot
from pipeline.dialog import Asked, DialogState, Said
from pipeline.dialog.text import clean, normal, spoken
from pipeline.errors import BackendError
from pipeline.nlp import Understander

LONGEST = 2000  # characters of one utterance: four minutes of talk
MOST_WORDS_OF_A_PLACE = 4
ALIKE = 85.0  # of 100: likeness of letters at which a name nobody knows is one misheard
SHARED = ("location", "weathertime")  # what two requests of one utterance have in common
SURE = 0.5  # score at which each half of an utterance counts as a request of its own
FEWEST = 3  # words of a request that are worth a second opinion: it makes a "yes" of any short noise
SHORT = 3  # words of an answer that should be what was asked for
UNSURE = 0.6  # score below which the first opinion is doubted
SURE_AGAIN = 0.8  # and at which a second one counts
_OF_THINGS = ("price_check", "inventory_check")
_STAND_FOR_THINGS = frozenset(
    [
        "it",
        "its",
        "they",
        "them",
        "that",
        "this",
        "these",
        "those",
        "one",
        "ones",
        "some",
        "any",
        "each",
        "both",
        "thing",
        "things",
    ]
)
_LAST_WORDS = re.compile(r"\b(?:in|an|at|near)\s+(\w[\w' -]*)\W*$", re.IGNORECASE)
_NAMES = ("item.type", "item.name", "item.color", "store.type", "store.name")  # slots whose words a catalogue knows
_NOTHING = Intent(UNKNOWN, 0.0, (), "")
_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SECOND_REQUEST = re.compile(
    r"(?:[?.!;]\s+|,?\s+)(?:(?:and|also|then|plus)\s+)+(?=(?:do|does|is|are|have|has|can|could|will|would|how|what|where|when|which)\b)"
    r"|[?.!]\s+(?=\S+\s+\S+)",
    re.IGNORECASE,
)


Again = Callable[[], Sequence[str]]  # what a better recogniser hears, likeliest first


@dataclass(frozen=True)
class Heard:
    """An utterance: the clean text, what the dialog is told, and what is archived."""

    text: str
    said: Said
    later: tuple[Said, ...] = ()  # what else was asked for in the same breath
    intent: Intent | None = None  # of ``said``; slots of all, normalised
    understand_ms: float = 0.0
    error: str = ""
    again: bool = False  # whether the text is the second recogniser's


@dataclass(frozen=True)
class _Understood:
    """A text, what the model made of its one or two parts, and what the dialog is told about them."""

    text: str
    parts: list[Intent]
    said: list[Said]
    again: bool = False


class Listener:
    """The understanding behind the conversations; threads may share it."""

    def __init__(
        self,
        understander: Understander,
        cities: Cities,
        clock: Callable[[], datetime],
        requests: Collection[str] = (),
        things: Collection[str] = (),
    ) -> None:
        """``cities`` know which day it is where somebody speaks about; ``requests`` are intents that ask for something,
        two of which may come in one utterance; ``things`` are the names of what is sold and of the stores.
        """
        self._understander, self._cities, self._clock = understander, cities, clock
        self._requests = frozenset(requests)
        self._expectations = Expectations(cities, things)
        self._known_words = words_of(things)

    def expects(self, asked: Asked) -> tuple[Expected, ...]:
        """What a recogniser should prefer to hear after this question."""
        return self._expectations.of(asked)

    def cleaned(self, text: str) -> Heard:
        """The text as one line without control characters and broken Unicode; not understood yet.

        More than 2,000 characters are cut off, and it is said to be an unknown request: nobody means one by so many.
        """
        whole = clean(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), max(len(text), 1))
        kept = whole[:LONGEST].strip()
        error = f"{len(whole):,} characters are too many; {LONGEST:,} are read" if len(whole) > LONGEST else ""
        return Heard(kept, Said(kept), error=error)

    def listen(
        self,
        heard: Heard,
        state: DialogState,
        asked: Asked,
        *,
        spoken: bool = False,
        again: Again | None = None,
    ) -> Heard:
        """The cleaned utterance understood in the light of what was asked; ``spoken``: a recogniser wrote it.

        ``again`` gives what a better recogniser makes of the sound, likeliest first; it is asked only where the text
        means nothing, is a mere guess, is no answer to the question, or names what nobody knows. The first of its texts
        that surely means something is taken. Where the service fails, what the dialog is told says so.
        """
        if heard.error:
            return replace(heard, said=Said(heard.text, _NOTHING))
        started = time.perf_counter()
        try:
            found = self._understood(heard.text, asked, spoken, again)
        except BackendError as error:
            return replace(
                heard, said=Said(heard.text, error=str(error)), understand_ms=_since_ms(started), error=str(error)
            )
        took_ms = _since_ms(started)
        slots = tuple(dict.fromkeys(slot for part in found.parts for slot in part.slots))
        now = self._now_at(slots, state)
        kept = tuple(replace(slot, value=normalise(slot.name, slot.text, now)) for slot in slots)
        return replace(
            heard,
            text=found.text,
            said=found.said[0],
            later=tuple(found.said[1:]),
            intent=replace(found.parts[0], slots=kept),
            understand_ms=took_ms,
            again=found.again,
        )

    def told(
        self,
        text: str,
        asked: Asked | None = None,
        *,
        spoken: bool = False,
        again: Again | None = None,
    ) -> Said:
        """What the dialog is told about a text, without a conversation. Raises BackendError."""
        return self._understood(text, asked or Asked(), spoken, again).said[0]

    def _understood(self, text: str, asked: Asked, spoken: bool, again: Again | None) -> _Understood:
        first = self._made_of(text, asked, spoken)
        if again is None or not self._is_doubtful(first, asked):
            return first
        for number, other in enumerate(again()):
            cleaned = self.cleaned(other).text
            if normal(cleaned) == normal(text):
                if number == 0 and (first.said[0].intent or _NOTHING).slots:
                    return first  # both heard the same, and it means something
                continue
            if not cleaned:
                continue
            better = self._made_of(cleaned, asked, spoken)
            if self._is_sure(better, asked, instead_of=first):
                return replace(better, again=True)
        return first

    def _made_of(self, text: str, asked: Asked, spoken: bool) -> _Understood:
        parts = self._parts(text)
        return _Understood(text, parts, [self._told(text, part, asked, spoken=spoken) for part in parts])

    def _is_doubtful(self, found: _Understood, asked: Asked) -> bool:
        """Whether the words may have been misheard: they mean nothing, little, or what was not asked and is not known.

        A single word counts only as an answer: a recogniser makes one of any short noise.
        """
        said = found.said[0]
        if said.intent is None or asked.is_phrase(said.text):
            return False
        words = len(_WORDS.findall(said.text))
        if words < FEWEST and not asked.slots:
            nothing = words > 1 and _means_nothing(said)
            return nothing or (bool(said.intent.slots) and not self._knows(said.intent.slots, asked))
        if _means_nothing(said) or _leaves_out(said):
            return True
        off = len(_WORDS.findall(said.text)) <= SHORT and bool(asked.slots) and not _answers(said, asked)
        guess = said.intent.score < UNSURE and not _answers(said, asked)
        return off or guess or not self._knows(said.intent.slots, asked)

    def _is_sure(self, found: _Understood, asked: Asked, *, instead_of: _Understood) -> bool:
        """Whether a second opinion counts: it answers the question with what is known, or is a clear request.

        A name that nobody knows in it is better than nothing, but not than another such name.
        """
        said = found.said[0]
        if said.intent is None:
            return False
        knows = self._knows(said.intent.slots, asked)
        sure_slot = any(slot.score >= SURE_AGAIN for slot in said.intent.slots)
        if asked.slots and knows and (_answers(said, asked) or sure_slot):
            return True
        clear = found.parts[0].score >= SURE_AGAIN and said.intent.name != UNKNOWN
        enough = len(_WORDS.findall(said.text)) >= FEWEST and not _leaves_out(said)
        return clear and enough and (knows or _means_nothing(instead_of.said[0]))

    def _knows(self, slots: Sequence[Slot], asked: Asked) -> bool:
        """Whether all places are on the list, and all words for things in the catalogue, where there is one."""
        for slot in slots:
            if slot.name == "location" and not (is_here(slot.text) or known(self._cities, slot.text)):
                return False
            if slot.name in _NAMES and self._known_words:
                said = {word.lower() for word in _WORDS.findall(slot.text)} - {*asked.small_words}
                if not all({word, word.removesuffix("s"), f"{word}s"} & self._known_words for word in said):
                    return False
        return True

    def _parts(self, text: str) -> list[Intent]:
        """What the utterance asks for: one thing, or two that were joined by "and"; slots by their place in it.

        What the second says of where and when holds for the first too: "will it rain and how warm is it in Oslo".
        """
        for joint in _SECOND_REQUEST.finditer(text):
            halves = text[: joint.start()], text[joint.end() :]
            if not all(half.strip() for half in halves):
                continue
            first, second = (self._understander.understand(half) for half in halves)
            asked = all(found.name in self._requests and found.score >= SURE for found in (first, second))
            if asked and first.name != second.name:
                moved = tuple(
                    replace(slot, start=slot.start + joint.end(), end=slot.end + joint.end()) for slot in second.slots
                )
                known = {slot.name for slot in first.slots}
                shared = tuple(slot for slot in moved if slot.name in SHARED and slot.name not in known)
                return [replace(first, slots=(*first.slots, *shared)), replace(second, slots=moved)]
        return [self._understander.understand(text)]

    def _told(self, text: str, found: Intent, asked: Asked, *, spoken: bool) -> Said:
        """The dialog speaks of things in the person's own words; the archive keeps what the model made of them."""
        slots = tuple(replace(one, value=one.text) for slot in found.slots for one in self._apart(slot))
        found = in_context(replace(found, slots=slots), text, asked, self._cities, heard=spoken)
        if found.name == UNKNOWN and not found.slots:
            found = replace(found, slots=self._misheard_place(text))
        return Said(text, found)

    def _apart(self, slot: Slot) -> tuple[Slot, ...]:
        """The places that a location names where it is two in a row ("Denver, Chicago"), else the slot as it is."""
        words = list(_WORDS.finditer(slot.text))
        if slot.name != "location" or not 1 < len(words) <= MOST_WORDS_OF_A_PLACE or self._nearest(slot.text):
            return (slot,)
        for before, after in pairwise(words):
            parts = [(0, before.end()), (after.start(), len(slot.text))]
            if all(self._nearest(slot.text[start:end]) for start, end in parts):
                return tuple(
                    replace(slot, text=slot.text[start:end], start=slot.start + start, end=slot.start + end)
                    for start, end in parts
                )
        return (slot,)

    def _misheard_place(self, text: str) -> tuple[Slot, ...]:
        """The location that a short text is when a recogniser misspelt it ("sprint field"); the model knew nothing."""
        words = list(_WORDS.finditer(text))
        if not 1 <= len(words) <= MOST_WORDS_OF_A_PLACE:
            return ()
        start, end = words[0].start(), words[-1].end()
        said = text[start:end]
        likeness = fuzz.ratio(_letters(said), _letters(self._nearest(said)))
        return (Slot("location", said, said, start, end, likeness / 100),) if likeness >= ALIKE else ()

    def _nearest(self, said: str) -> str:
        """The name of the place that the words are most like; "" where there is none."""
        try:
            return self._cities.find(said).name
        except AmbiguousError as error:
            return error.choices[0].split(",")[0]
        except NotFoundError:
            return ""

    def _now_at(self, slots: Sequence[Slot], state: DialogState) -> datetime:
        """The time at the place spoken of, else on this machine: "tomorrow" begins there."""
        named = [slot.text for slot in slots if slot.name == "location"]
        place = named[-1] if named else spoken(state.context.get("location", ""))
        now = self._clock().astimezone()
        if not place:
            return now
        try:
            return now.astimezone(ZoneInfo(self._cities.find(place).timezone))
        except (NotFoundError, AmbiguousError):
            return now


def moved(heard: Heard, text: str) -> Heard:
    """The same utterance as finally written, with its slots at their words there.

    Raises ValueError unless the texts differ by punctuation and capitals alone.
    """
    if text == heard.text:
        return heard
    if normal(text) != normal(heard.text):
        raise ValueError("the draft is of other words")
    places = list(zip(_WORDS.finditer(heard.text), _WORDS.finditer(text), strict=True))

    def at_words(slot: Slot) -> Slot:
        inside = [new for old, new in places if old.start() < slot.end and old.end() > slot.start]
        if not inside:
            raise ValueError("the draft is of other words")
        start, end = inside[0].start(), inside[-1].end()
        return replace(slot, text=text[start:end], start=start, end=end)

    intent = heard.intent and replace(heard.intent, slots=tuple(at_words(slot) for slot in heard.intent.slots))
    return replace(heard, text=text, intent=intent)


def _leaves_out(said: Said) -> bool:
    """Whether a request lacks what it seems to name: a price or stock of nothing, without a word that stands for a
    thing ("how much no will there be"), or weather whose last words say where, and are no place ("whether an awful").
    """
    assert said.intent is not None
    slots = said.intent.slots
    if said.intent.name in _OF_THINGS:
        named = any(slot.name.startswith("item.") for slot in slots)
        return not named and not _STAND_FOR_THINGS & set(fold(said.text).split())
    where = _LAST_WORDS.search(said.text)
    return bool(
        said.intent.name.startswith("weather.")
        and where
        and not any(slot.start < where.end(1) and where.start(1) < slot.end for slot in slots)
    )


def _means_nothing(said: Said) -> bool:
    return said.intent is None or (said.intent.name == UNKNOWN and not said.intent.slots)


def _answers(said: Said, asked: Asked) -> bool:
    """Whether the words hold what was asked for."""
    return said.intent is not None and any(slot.name in asked.slots for slot in said.intent.slots)


def _letters(text: str) -> str:
    return fold(text).replace(" ", "")


def _since_ms(started: float) -> float:
    return 1000 * (time.perf_counter() - started)

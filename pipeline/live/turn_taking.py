"""How long to wait in a pause before taking an utterance as finished, judged by what was said so far. Pure."""

from __future__ import annotations

DECODE_MS = 200  # silence at which the recogniser gives its first opinion; nothing is decided before
ANSWERED_MS = 350  # the words make a request that could be answered already
USUAL_MS = 550
DICTATING_MS = 900  # a row of digits: people group them
HANGING_MS = 1200  # a sentence that cannot end here
LONGEST_MS = HANGING_MS

_CONJUNCTIONS = "and or but because if so that than then when while although unless until plus"
_PREPOSITIONS = "about after at before between by during for from in into near of on over to under with without"
_DETERMINERS = "a an the my your our their his her its this these those some any another every"
_AUXILIARIES = "i i'm i'd i'll i've is are was were do does did can could would will should"
_FILLERS = "um uh uhm er erm hmm mm like well let's let me"
_HANGING = frozenset(" ".join((_CONJUNCTIONS, _PREPOSITIONS, _DETERMINERS, _AUXILIARIES, _FILLERS)).split())
# Sentences do end on these: "what is it like", "where are you from", "do you sell this", "tell me", "yes I do".
_CLOSING = {
    "like": ("be", "is", "it", "weather", "look"),
    "from": ("you", "that", "it"),
    "this": (),
    "these": (),
    "those": (),
    "that": (),
    "then": (),
    "well": (),
    "so": ("think", "hope", "not"),
    "some": (),
    "any": (),
    "me": (),
    "on": ("it", "come", "go", "turn", "that"),
    "in": ("it", "come"),
    "over": ("start", "starting", "begin"),
    "for": ("that", "it", "looking"),
    "before": (),
    "after": (),
    "of": ("that",),
    "do": ("i", "you", "we"),
    "did": ("i", "you"),
    "can": ("i", "you"),
    "would": ("i", "you"),
    "will": ("i", "you", "it"),
    "is": ("it", "there", "that"),
    "are": ("you", "they", "there"),
    "was": ("it",),
    "about": ("that",),
    "to": ("want", "like", "need"),
}
_OPENERS = frozenset(_AUXILIARIES.split())  # a single one of these is the beginning of a question


def wait_ms(text: str, *, answered: bool) -> int:
    """Milliseconds of silence after which ``text`` counts as all that the person wanted to say.

    ``answered``: a draft of the turn had its answer, so that nothing seems to be missing. Ends in words that cannot
    close a sentence ("and", "um", "to", "the") wait longest, whatever the draft says: "weather in Denver and" could be
    answered, and should not be.
    """
    words = [word.strip(".,!?;:…\"'()-").lower() for word in text.split()]
    words = [word for word in words if word]
    if not words:
        return USUAL_MS
    trails_off = text.rstrip().endswith((",", "…", "...", "-", "–", "—"))
    if trails_off or _hangs(words):
        return HANGING_MS
    if answered:
        return ANSWERED_MS
    if len(words[-1]) <= 4 and words[-1].replace("-", "").isdigit():
        return DICTATING_MS
    return USUAL_MS


def _hangs(words: list[str]) -> bool:
    last = words[-1]
    if last not in _HANGING:
        return False
    if len(words) == 1:
        return last in _OPENERS or last not in _CLOSING
    if last not in _CLOSING:
        return True
    fitting = _CLOSING[last]
    return bool(fitting) and words[-2] not in fitting

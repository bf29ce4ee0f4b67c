"""SSML to stretches of text with their rate and loudness, and the breaks between them.

The part of SSML 1.1 that NVIDIA documents for Riva: speak, prosody (rate, volume), phoneme (IPA) and sub; besides them
break, say-as (characters, digits, telephone), p and s. Pitch and the elements not named here leave their text as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree

from pipeline.errors import InputError

_DEEPEST = 50
_LONGEST_BREAK_S = 10.0
_BREAKS_S = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.0}
_RATES = {
    "x-low": 0.5, "x-slow": 0.5, "low": 0.75, "slow": 0.75, "medium": 1.0, "default": 1.0, "high": 1.25, "fast": 1.25,
    "x-high": 1.75, "x-fast": 1.75,
}  # fmt: skip
_RATE_RANGE = (0.25, 3.0)  # NVIDIA names 25 % to 250 % and gives +200 % as an example
_VOLUMES_DB = {
    "silent": -96.0, "x-soft": -12.0, "soft": -6.0, "medium": 0.0, "default": 0.0, "loud": 4.0, "x-loud": 8.0,
}  # fmt: skip
_VOLUME_RANGE_DB = (-96.0, 20.0)
_UNSPOKEN = frozenset({"desc", "lexicon", "mark", "meta", "metadata"})
_APART = "\n\n"  # a blank line parts sentences


@dataclass(frozen=True)
class Run:
    """Text to be spoken in one manner; ``ipa`` is its pronunciation where one is given."""

    text: str
    rate: float = 1.0
    gain: float = 1.0
    ipa: str | None = None


@dataclass(frozen=True)
class Break:
    """A silence."""

    seconds: float


def is_ssml(text: str) -> bool:
    """Whether ``text`` is meant as SSML: its root is speak. Any other text is spoken as it stands, as Riva does it."""
    return re.match(r"\s*(?:<\?xml[^>]*>\s*)?<speak[\s/>]", text) is not None


def runs(ssml: str) -> list[Run | Break]:
    """The stretches and breaks of ``ssml`` in order.

    Raises InputError when it is not well-formed, has a document type, is nested too deep, or a value is out of range.
    """
    if "<!DOCTYPE" in ssml or "<!ENTITY" in ssml:
        raise InputError("the SSML declares a document type or entities; leave them out")
    try:
        root = ElementTree.fromstring(ssml.strip())
    except ElementTree.ParseError as error:
        raise InputError(f"the SSML is not well-formed XML: {error}") from None
    return list(_walk(root, Run(""), 0))


def _walk(element: ElementTree.Element, manner: Run, depth: int) -> Iterator[Run | Break]:
    if depth > _DEEPEST:
        raise InputError(f"the SSML is nested more than {_DEEPEST} elements deep")
    tag = element.tag.rpartition("}")[2].lower()
    if tag in _UNSPOKEN:
        return
    if tag == "break":
        yield Break(_break_s(element))
        return
    if tag == "sub":
        yield replace(manner, text=element.get("alias") or "".join(element.itertext()))
        return
    if tag == "phoneme":
        yield from _phoneme(element, manner)
        return
    if tag == "say-as":
        yield replace(manner, text=_said_as(element))
        return
    if tag == "prosody":
        manner = replace(manner, rate=manner.rate * _rate(element), gain=manner.gain * _gain(element))
        if not _RATE_RANGE[0] <= manner.rate <= _RATE_RANGE[1]:
            raise InputError(f"the SSML's prosody rate comes to {manner.rate:.0%}; it may be 25% to 300%")
    apart = tag in ("p", "s")
    yield replace(manner, text=(_APART if apart else "") + (element.text or ""))
    for child in element:
        yield from _walk(child, manner, depth + 1)
        yield replace(manner, text=child.tail or "")
    if apart:
        yield replace(manner, text=_APART)


def _phoneme(element: ElementTree.Element, manner: Run) -> Iterator[Run]:
    pronunciation = "".join((element.get("ph") or "").split())
    word = " ".join("".join(element.itertext()).split())
    ipa = (element.get("alphabet") or "ipa").lower() == "ipa"
    yield replace(manner, text=word, ipa=pronunciation if pronunciation and ipa else None)


def _said_as(element: ElementTree.Element) -> str:
    text = "".join(element.itertext())
    kind = (element.get("interpret-as") or "").lower()
    if kind in ("characters", "spell-out", "verbatim"):
        return " ".join(char for char in text if not char.isspace())
    if kind in ("digits", "telephone"):
        return re.sub(r"\d", r"\g<0> ", text)
    return text


def _break_s(element: ElementTree.Element) -> float:
    time = element.get("time")
    if time is None:
        strength = element.get("strength", "medium")
        if strength not in _BREAKS_S:
            raise InputError(f"the SSML has a break of strength {strength!r}; give one of {', '.join(_BREAKS_S)}")
        return _BREAKS_S[strength]
    match = re.fullmatch(r"\+?(\d+(?:\.\d+)?|\.\d+)(ms|s)", time.strip())
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1) if match else _LONGEST_BREAK_S + 1
    if seconds > _LONGEST_BREAK_S:
        raise InputError(f"the SSML has a break of {time!r}; give a time such as 500ms or 1.5s, at most 10s")
    return seconds


def _rate(element: ElementTree.Element) -> float:
    raw = element.get("rate", "default").strip().lower()
    if raw in _RATES:
        return _RATES[raw]
    match = re.fullmatch(r"([+-]?)(\d+(?:\.\d+)?)%", raw)
    plain = re.fullmatch(r"\d+(?:\.\d+)?", raw)
    if match:
        share = float(match[2]) / 100
        rate = {"": share, "+": 1 + share, "-": 1 - share}[match[1]]
    elif plain:
        rate = float(raw)
    else:
        raise InputError(
            f"the SSML has a prosody rate of {raw!r}; give a percentage such as 80% or one of {', '.join(_RATES)}"
        )
    if not _RATE_RANGE[0] <= rate <= _RATE_RANGE[1]:
        raise InputError(f"the SSML has a prosody rate of {raw!r}; it may be 25% to 300%")
    return rate


def _gain(element: ElementTree.Element) -> float:
    raw = element.get("volume", "default").strip().lower()
    match = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)db", raw)
    if raw not in _VOLUMES_DB and not match:
        raise InputError(
            f"the SSML has a prosody volume of {raw!r}; give decibels such as +3dB or one of {', '.join(_VOLUMES_DB)}"
        )
    decibels = float(match[1]) if match else _VOLUMES_DB[raw]
    if not _VOLUME_RANGE_DB[0] <= decibels <= _VOLUME_RANGE_DB[1]:
        raise InputError(f"the SSML has a prosody volume of {raw!r}; it may be -96dB to +20dB")
    return float(10 ** (decibels / 20))

"""Spoken words in one spelling: figures, singulars, sizes, colours, amounts of money (English). Pure."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from text_to_num import alpha2digit

LONGEST = 200  # characters of a name; what is longer is cut

_IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "kids": "kid", "feet": "foot", "mice": "mouse",
    "teeth": "tooth", "geese": "goose", "people": "person", "tvs": "tv", "pcs": "pc",
}  # fmt: skip
_SYNONYMS = {"shop": "store", "grey": "gray", "colour": "color", "television": "tv", "center": "centre"}
_LETTERS = {
    "extra extra small": "xxs", "double extra small": "xxs", "extra small": "xs", "x small": "xs", "small": "s",
    "medium": "m", "regular": "m", "extra large": "xl", "x large": "xl", "large": "l", "x l": "xl", "x s": "xs",
    "double extra large": "xxl", "extra extra large": "xxl", "double xl": "xxl", "x x l": "xxl", "xx l": "xxl",
    "2 x l": "xxl", "2 xl": "xxl", "2xl": "xxl", "2 x": "xxl", "triple extra large": "xxxl", "3 x l": "xxxl",
    "3 xl": "xxxl", "3xl": "xxxl", "x x x l": "xxxl",
}  # fmt: skip
_RANKS = (
    "xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl", "twin", "twin xl", "full", "queen", "king", "california king",
)  # fmt: skip
_UNITS = {
    "gb": "gigabyte gigabytes gig gigs gb",
    "tb": "terabyte terabytes tera teras tb",
    "mb": "megabyte megabytes meg megs mb",
    "inch": "inch inches in",
    "cm": "centimeter centimeters centimetre centimetres cm",
    "oz": "ounce ounces oz",
    "lb": "pound pounds lb lbs",
    "kg": "kilogram kilograms kilo kilos kg",
    "gallon": "gallon gallons",
    "quart": "quart quarts",
    "liter": "liter liters litre litres l",
    "ml": "milliliter milliliters millilitre millilitres ml",
    "pack": "pack packs pk",
    "person": "person people persons man",
    "ft": "foot feet ft",
    "watt": "watt watts w",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_HALVES = re.compile(r"\b(\d+) and a half\b")
_SCREENS = re.compile(r"\b(\d) (\d\d) (?=gb|gig)")  # "five twelve gigabytes" is 512

# A colour's basic colour; a basic colour is its own.
_BASIC = (
    "black", "white", "red", "blue", "green", "yellow", "orange", "purple", "pink", "brown", "gray", "silver", "gold",
    "beige",
)  # fmt: skip
_SHADES = {
    "blue": "navy teal turquoise aqua indigo denim cobalt azure",
    "red": "maroon burgundy wine crimson scarlet ruby cherry",
    "green": "olive sage emerald lime mint forest khaki moss",
    "purple": "lavender lilac plum violet magenta aubergine",
    "pink": "coral salmon peach fuchsia rose blush",
    "yellow": "mustard lemon",
    "brown": "chocolate rust camel walnut oak bronze copper tan cognac chestnut",
    "gray": "charcoal slate graphite",
    "white": "cream ivory eggshell pearl",
    "black": "midnight ebony",
    "beige": "champagne sand oatmeal",
}
_BASIC_OF = {shade: basic for basic, shades in _SHADES.items() for shade in shades.split()} | {b: b for b in _BASIC}
_COLOUR_WORDS = frozenset(_BASIC_OF) | frozenset(
    ("light", "dark", "bright", "pale", "royal", "sky", "hot", "matte", "off", "space", "grey")
)


def fold(text: str) -> str:
    """The words of a text in lower case, without accents, apostrophes and punctuation, one space between."""
    plain = text[: 2 * LONGEST]
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    plain = re.sub(r"['’`]", "", plain.casefold())
    plain = re.sub(r"(?<!\d)\.|\.(?!\d)|[^\w.]|_", " ", plain)
    return " ".join(plain.split())[:LONGEST].strip()


def shown(text: str) -> str:
    """What a person named, fit to be said again: its words only, not too many; "that" where none is left."""
    return fold(text)[:60].strip() or "that"


def figures(text: str) -> str:
    """The folded text with numbers as figures: "Size ten and a half" gives "size 10.5"."""
    counted = alpha2digit(re.sub(r"(?<!and )\b(a|one) (?=hundred|thousand)", "", fold(text)), "en", threshold=0)
    return _HALVES.sub(r"\1.5", counted)


def stem(word: str) -> str:
    """The word's singular in a spelling of its own, the same for "shoes" and "shoe"; not a word to show."""
    word = _IRREGULAR.get(word, word)
    if len(word) > 3:
        if word.endswith(("sses", "shes", "ches", "xes", "zes")):
            word = word[:-2]
        elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
        for end, instead in (("ie", "y"), ("oe", "o"), ("ve", "f"), ("fe", "f")):
            word = word[: -len(end)] + instead if word.endswith(end) else word
    word = _IRREGULAR.get(word, word)
    return _SYNONYMS.get(word, word)


def stems(text: str, without: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The stems of a text's words, its numbers as figures; words in ``without`` are left out."""
    return tuple(stem(word) for word in figures(text).split() if word not in without)


def size(text: str) -> str:
    """A size in one spelling: "extra large" is "xl", "sixteen gigs" "16 gb", "size ten and a half" "10.5"."""
    words = re.sub(r"\b(size|sized|sizes|a|an|the|in)\b(?! *$)|\b(size|sized|sizes)$", " ", figures(text))
    words = " ".join(words.split())
    words = re.sub(r"\b(a )?dozen\b", "12 pack", words)
    if words in _LETTERS:
        return _LETTERS[words]
    found = re.fullmatch(r"([\d.]+(?: \d+)?) ?([a-z]+)(?: [a-z]+)?", words)
    if found and found[2] in _UNIT_OF:
        number = found[1].replace(" ", "")
        return f"{number} {_UNIT_OF[found[2]]}"
    return words


def size_rank(text: str) -> tuple[int, float, str]:
    """A key that sorts sizes as people do: S before M, 9 before 10, 500 GB before 1 TB."""
    known = size(text)
    if known in _RANKS:
        return (0, _RANKS.index(known), known)
    found = re.match(r"[\d.]+", known)
    figure = float(found[0]) if found and found[0].count(".") < 2 and found[0] != "." else 0.0
    return (1, figure * (1024 if known.endswith(" tb") else 1), known)


def colour(text: str) -> str:
    """A colour in one spelling: "Navy blue" is "navy blue", "grey" is "gray"."""
    return " ".join(_SYNONYMS.get(word, word) for word in fold(text).split())


def colour_likeness(asked: str, has: str) -> int:
    """How well a thing's colour answers the colour asked for: 2 the same, 1 a shade of it, 0 another."""
    want, got = colour(asked).split(), colour(has).split()
    if want == got or set(want) - {"blue"} == set(got) - {"blue"} != set():
        return 2  # "navy blue" is navy
    plain = [word for word in want if word in _BASIC_OF]
    if not plain:
        return 0
    shade = plain[0] != plain[-1] or plain[-1] not in _BASIC or len(want) > 1  # "navy", "dark green": no other shade
    if shade:
        return 1 if set(want) & set(got) - {"light", "dark"} and _basic(want) == _basic(got) else 0
    return 1 if _basic(got) == plain[-1] else 0


def split_colour(text: str) -> tuple[str, str]:
    """The leading colour of a folded text and the rest: "dark green wool coat" gives ("dark green", "wool coat")."""
    words = fold(text).split()
    count = 0
    while count < len(words) - 1 and words[count] in _COLOUR_WORDS:
        count += 1
    if not any(word in _BASIC_OF or word == "grey" for word in words[:count]):
        return "", " ".join(words)
    return colour(" ".join(words[:count])), " ".join(words[count:])


def amounts(text: str) -> tuple[Decimal, ...]:
    """The amounts of money in a text: "fifty and a hundred dollars" gives (50, 100), "nine ninety nine" 9.99."""
    words = figures(text.replace("$", " ").replace(",", ""))
    words = re.sub(r"\b(?:couple|2) 100\b", "200", words)
    words = re.sub(r"\b(\d+) grand\b", lambda match: f"{match[1]}000", words)
    words = re.sub(r"\b([1-8]) (and|or|to) ([2-9])00\b", _hundreds, words)
    words = re.sub(r"\b(\d{1,3}) (\d\d)\b(?! *(?:and|or|to))", r"\1.\2", words)
    words = re.sub(r"\b(\d+)(?: dollars| euros| pounds)? and (\d{1,2}) (?:cents|pence)\b", _cents, words)
    return tuple(Decimal(found) for found in re.findall(r"\d+(?:\.\d+)?", words)[:4])


def _hundreds(match: re.Match[str]) -> str:
    """300 to 400 where "3 to 400" was read."""
    return f"{match[1]}00 {match[2]} {match[3]}00" if match[1] < match[3] else match[0]


def _cents(match: re.Match[str]) -> str:
    return f"{match[1]}.{int(match[2]):02d}"


def _basic(words: list[str]) -> str:
    """The basic colour of "navy blue", "mint green", "charcoal"; empty where none is named."""
    found = [_BASIC_OF[word] for word in words if word in _BASIC_OF]
    return found[-1] if found else ""

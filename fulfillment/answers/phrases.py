"""Pieces of answers: lists, money, degrees and amounts, written so that they can be read and said. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fulfillment.products import Money, minor_digits
from fulfillment.words import stem

Units = Literal["", "metric", "imperial"]  # empty: those of the place that is spoken of
_SIGNS = {"USD": "$", "GBP": "£", "EUR": "€", "JPY": "¥", "KRW": "₩", "INR": "₹", "CAD": "$", "AUD": "$"}


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Some things in a row: "a", "a and b", "a, b, and c"."""
    if len(parts) < 3:
        return f" {last} ".join(parts)
    return f"{', '.join(parts[:-1])}, {last} {parts[-1]}"


def money(amount: Money) -> str:
    """An amount as it is written: "$24.50", "$59", "2.50 CHF"; the voice turns it into words."""
    digits = minor_digits(amount.currency)
    figure = f"{amount.amount:,.{digits}f}"
    if digits and figure.endswith("." + "0" * digits):
        figure = figure[: -digits - 1]
    sign = _SIGNS.get(amount.currency)
    return f"{sign}{figure}" if sign else f"{figure} {amount.currency}"


def degrees(celsius: float, *, fahrenheit: bool) -> int:
    """A temperature as a whole number of degrees Celsius, or Fahrenheit."""
    return round(celsius * 9 / 5 + 32) if fahrenheit else round(celsius)


def degree(number: int) -> str:
    """A number of degrees as it is said: "minus 5"."""
    return f"minus {-number}" if number < 0 else str(number)


def rain_depth(millimetres: float, *, inches: bool) -> str:
    """A depth of rain: "about 5 millimeters", "about 0.2 inches"; empty where there is next to none."""
    if millimetres < 0.5:
        return ""
    if inches:
        number = max(0.1, round(millimetres / 25.4, 1))
        return f"about {number:g} inch{'es' * (number != 1)}"
    whole = round(millimetres)
    return f"about {whole} millimeter{'s' * (whole != 1)}"


def snow_depth(centimetres: float, *, inches: bool) -> str:
    """A depth of snow: "about 3 inches", "about 8 centimeters"; empty where there is next to none."""
    number = round(centimetres / 2.54 if inches else centimetres)
    if number < 1:
        return ""
    return f"about {number} {'inch' if inches else 'centimeter'}{'' if number == 1 else 'es' if inches else 's'}"


def chance(share: float) -> str:
    """A chance as it is said, to the nearest ten: "a 70 percent chance", "an 80 percent chance"."""
    number = round(share * 10) * 10
    return f"{'an' if number == 80 else 'a'} {number} percent chance"


def is_plural(name: str) -> bool:
    """Whether a thing's name asks for a verb in the plural: "running shoes" do, "dress" does not."""
    last = re.sub(r"\W+$", "", name).split()[-1:] or [""]
    return last[0].endswith("s") and stem(last[0]) != last[0]


def thing(name: str, color: str = "", size: str = "") -> tuple[str, bool]:
    """A thing in a colour and size, and whether its verb is in the plural: ("6 pack of eggs", False)."""
    named = f"{color} {name}" if color and color.lower() not in name.lower() else name
    plural = is_plural(name)
    if not size:
        return named, plural
    if re.fullmatch(r"[xX]*[sSmMlL]|[\d.]+( wide)?", size):
        return f"{named} in size {size.upper() if size.isalpha() else size}", plural
    if re.search(r"(pack|gallon|quart|liter|ml|lb|kg|oz)$", size):
        return f"{size} of {named}", False
    return f"{size} {named}", plural


def clock(at: datetime) -> str:
    """A time of day: "9 p.m.", "10:30 a.m.", "midnight", "noon"."""
    if at.minute == 0 and at.hour in (0, 12):
        return "noon" if at.hour else "midnight"
    minutes = f":{at.minute:02d}" if at.minute else ""
    return f"{(at.hour + 11) % 12 + 1}{minutes} {'p' if at.hour >= 12 else 'a'}.m."


def sentence(text: str) -> str:
    """The text with a capital at its start and a full stop at its end, if it has none."""
    text = " ".join(text.split())
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")

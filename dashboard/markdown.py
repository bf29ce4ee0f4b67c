"""Texts that others wrote, in places where Streamlit reads Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")  # ASCII punctuation: CommonMark 2.4 lets a backslash make each literal


def plain(text: str) -> str:
    """``text`` as Markdown that shows exactly it: no links, images, colours or formulas of somebody else's making."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))

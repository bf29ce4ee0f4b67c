from __future__ import annotations

import pytest

from dashboard.markdown import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Dana Whitfield", "Dana Whitfield"),
        ("![x](http://evil.example/a.png)", r"\!\[x\]\(http\:\/\/evil\.example\/a\.png\)"),
        (":red[no] $x$ `y`", r"\:red\[no\] \$x\$ \`y\`"),
        ("two\nlines", "two lines"),
        ("Žluťoučký 電話", "Žluťoučký 電話"),
    ],
)
def test_nothing_in_a_text_is_read_as_markdown(text: str, shown: str) -> None:
    assert plain(text) == shown

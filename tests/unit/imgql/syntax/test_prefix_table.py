"""The longest of many words that a text begins with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voxk8s.imgql.syntax.prefix_table import PrefixTable

_WORDS = st.text("ab", min_size=1, max_size=6)


@given(st.lists(_WORDS), st.text("abc", max_size=8))
def test_the_longest_prefix_is_found(words: list[str], text: str) -> None:
    """It is the one that comparing with every word finds."""
    expected = max((word for word in words if text.startswith(word)), key=len, default=None)
    assert PrefixTable(words).longest(text) == expected

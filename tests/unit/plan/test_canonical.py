"""Canonical text and digests."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.plan.canonical import canonical, digest, scalar_text

SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)


@given(SCALARS)
def test_scalar_text_is_canonical_json(value: str | bool | int | float) -> None:
    """The short way to write a scalar gives what json.dumps gives."""
    assert scalar_text(value) == canonical(value)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), SCALARS))
def test_canonical_text_reads_back(value: dict[str, str | bool | int | float]) -> None:
    """Canonical text loses nothing, number forms included."""
    back = json.loads(canonical(value))
    assert back == value
    assert {key: type(each) for key, each in back.items()} == {
        key: type(each) for key, each in value.items()
    }


def test_forms_of_five_differ() -> None:
    """5, 5.0 and true have texts of their own."""
    assert [scalar_text(value) for value in (5, 5.0, True, -0.0)] == ["5", "5.0", "true", "-0.0"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_finite_has_no_text(value: float) -> None:
    """NaN and infinities are refused."""
    with pytest.raises(ValueError, match="finite"):
        scalar_text(value)


def test_lone_surrogate_has_no_digest() -> None:
    """A lone surrogate is not UTF-8."""
    with pytest.raises(UnicodeEncodeError):
        digest("\ud800")

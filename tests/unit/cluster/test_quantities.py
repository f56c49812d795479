"""Kubernetes quantities."""

from __future__ import annotations

from decimal import Decimal

import pytest

from voxk8s.cluster.quantities import parse_quantity
from voxk8s.errors import InvalidUsage


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (4, 4),
        ("500m", Decimal("0.5")),
        ("2Gi", 2 * 2**30),
        ("1.5Gi", 3 * 2**29),
        ("1500M", 1_500_000_000),
        ("1e3", 1000),
        ("12E", 12 * 10**18),
        ("128974848", 128974848),
        (".5", Decimal("0.5")),
        ("+.5", Decimal("0.5")),
        ("1E-3", Decimal("0.001")),
    ],
)
def test_quantity_is_read(text: str | int, number: int | Decimal) -> None:
    """Every form that Kubernetes writes is understood exactly."""
    assert parse_quantity(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "Gi", "1 GB", "1gi", "one", "1e", "1e+", "1m3", "1e4294967296", "1e-100", "9" * 5000, "٣"],
)
def test_nonsense_is_refused(text: str) -> None:
    """What is no quantity is named in the error."""
    with pytest.raises(InvalidUsage, match="quantity"):
        parse_quantity(text)


def test_a_long_text_is_not_quoted_whole() -> None:
    """The message stays a message, whatever was given."""
    with pytest.raises(InvalidUsage) as error:
        parse_quantity("1" * 1_000_000)
    assert len(str(error.value)) < 200

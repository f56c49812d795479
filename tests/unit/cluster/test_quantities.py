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
    ],
)
def test_quantity_is_read(text: str | int, number: int | Decimal) -> None:
    """Every form that Kubernetes writes is understood exactly."""
    assert parse_quantity(text) == number


@pytest.mark.parametrize("text", ["", "Gi", "1 GB", "1gi", "one", "1e", "1m3"])
def test_nonsense_is_refused(text: str) -> None:
    """What is no quantity is named in the error."""
    with pytest.raises(InvalidUsage, match="quantity"):
        parse_quantity(text)

"""Kubernetes quantities such as 500m or 2Gi, as numbers."""

from __future__ import annotations

import re
from decimal import Decimal

from voxk8s.errors import InvalidUsage

# Bounded as in the CRD: Kubernetes keeps 32 bits of an exponent, so it reads 1e4294967296 as 1; and
# no arithmetic can fail on what is left.
_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}))([a-zA-Z]{0,2})((?:[+-]?[0-9]{1,2})?)"
)
_UNITS = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("0.001"),
    "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15,
    "E": Decimal(10) ** 18,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50,
    "Ei": Decimal(2) ** 60,
}


def parse_quantity(quantity: int | float | str) -> Decimal:
    """Parse a quantity such as 500m, 2Gi, 1e3 or 4.

    Raises InvalidUsage for other text, more than 30 digits, and exponents of more than two.
    """
    text = str(quantity).strip()
    match = _QUANTITY.fullmatch(text)
    if match:
        number, unit, exponent = match.groups()
        if exponent and unit in {"e", "E"}:
            return Decimal(number).scaleb(int(exponent))
        if not exponent and unit in _UNITS:
            return Decimal(number) * _UNITS[unit]
    raise InvalidUsage(f"expected a Kubernetes quantity such as 500m or 2Gi, got {_shown(text)!r}")


def _shown(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"

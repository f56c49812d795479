"""Canonical text of JSON values, and its SHA-256: the source of every id and key.

The text is `json.dumps(x, sort_keys=True, separators=(",", ":"), ensure_ascii=False,
allow_nan=False)`: 5 and 5.0 and true differ, floats are written as Python's repr.
"""

from __future__ import annotations

import json
from hashlib import sha256
from json.encoder import encode_basestring as quote
from math import isfinite

from voxk8s.plan.model import Digest, Scalar

__all__ = ["canonical", "digest", "quote", "scalar_text"]


def canonical(value: object) -> str:
    """Return the canonical text of a JSON value; raises ValueError for NaN and infinities."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def scalar_text(value: Scalar) -> str:
    """Return the canonical text of a scalar; raises ValueError for NaN and infinities."""
    if type(value) is float and isfinite(value):  # most constants of large plans
        return float.__repr__(value)
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if not isfinite(value):
        raise ValueError("a number must be finite")
    return float.__repr__(value)


def digest(text: str) -> Digest:
    """Return the SHA-256 of a text in UTF-8; raises UnicodeEncodeError for lone surrogates."""
    return Digest(sha256(text.encode()).hexdigest())

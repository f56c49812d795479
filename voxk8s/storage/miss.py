"""The result of a look-up that found nothing; never None, which is a value."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Miss(Enum):
    """The type of `MISS`: one member, the same object after pickling."""

    MISS = "MISS"

    def __repr__(self) -> str:
        return "MISS"

    __str__ = __repr__


MISS: Final = Miss.MISS

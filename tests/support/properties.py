"""How many examples a property test tries."""

from __future__ import annotations

import os

from hypothesis import settings


def examples(count: int) -> settings:
    """Return settings with `count` examples, or as few as the quick profile of `make check` has."""
    quick = os.environ.get("HYPOTHESIS_PROFILE") == "quick"
    return settings(max_examples=min(count, 20) if quick else count)

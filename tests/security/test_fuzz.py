"""Damaged programs, plans, records, pins, blobs, URLs and images give the documented errors."""

from __future__ import annotations

import pytest

from tests.support.fuzz import TARGETS, Target, run_seed
from tests.support.fuzz_images import FORMATS

_SEEDS = 400
_IMAGE_SEEDS = 25
"""Fewer, because each is decoded in a process of its own."""


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_input_gives_a_traceback(target: Target) -> None:
    """No error but the documented ones, in a time that is bounded."""
    for seed in range(_IMAGE_SEEDS if target.name in FORMATS else _SEEDS):
        run_seed(target, seed)

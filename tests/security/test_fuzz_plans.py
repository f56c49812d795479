"""Damaged programs and plan documents are refused with the documented errors."""

from __future__ import annotations

import pytest

from tests.support.fuzz import TARGETS, Target, run_seed

_SEEDS = 400


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_input_gives_a_traceback(target: Target) -> None:
    """No error but the documented ones, and places inside of the file."""
    for seed in range(_SEEDS):
        run_seed(target, seed)

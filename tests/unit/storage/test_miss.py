"""The result of a look-up that found nothing."""

from __future__ import annotations

import copy
import pickle

from voxk8s.storage.miss import MISS, Miss


def test_there_is_one_miss() -> None:
    """Copies, also those of other processes, are the same object."""
    assert pickle.loads(pickle.dumps(MISS)) is MISS
    assert copy.deepcopy(MISS) is MISS
    assert list(Miss) == [MISS]


def test_a_miss_is_not_a_value() -> None:
    """It is neither None nor equal to its name."""
    assert MISS is not None
    assert MISS != "MISS"  # type: ignore[comparison-overlap]  # the same


def test_a_miss_is_shown_by_its_name() -> None:
    """Without the name of its type."""
    assert (repr(MISS), str(MISS), f"{MISS}") == ("MISS", "MISS", "MISS")

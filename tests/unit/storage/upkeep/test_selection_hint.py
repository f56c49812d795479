"""Why a selection matches nothing."""

from __future__ import annotations

import pytest

from voxk8s.storage import Provenance
from voxk8s.storage.upkeep.selection import Selection, parse_library
from voxk8s.storage.upkeep.selection_hint import MadeBy


@pytest.mark.parametrize(
    ("selection", "hint"),
    [
        (Selection("lab.segmnt"), "of a kernel 'lab.segmnt'; did you mean 'lab.segment'?"),
        (Selection("segment"), "did you mean 'lab.segment'?"),
        (Selection("zzz"), "no results of a kernel 'zzz'"),
        (Selection("lab.segment", 2), "no results of version 2 of 'lab.segment', but of 1, 3"),
        (Selection("lab.grow", 4), "of version 4 of 'lab.grow', but of 0 (versioned by code)"),
        (Selection(None, None, parse_library("toch<3")), "a library 'toch'; did you mean 'torch'?"),
        (Selection(None, None, parse_library("Torch<2")), "with Torch 2.9.1, 2.10.0 only"),
        (Selection("lab.grow", 0, parse_library("torch<3")), "no result matches all of them"),
    ],
)
def test_what_is_near_to_a_selection_is_said(selection: Selection, hint: str) -> None:
    """Of kernels that made results, or results below them, their versions and libraries."""
    makers = MadeBy()
    makers.add(Provenance("lab.segment", 1, libraries={"torch": "2.10.0"}))
    makers.add(Provenance("lab.segment", 3, ancestors=("lab.old@2+torch=2.9.1",)))
    makers.add(Provenance("lab.grow", 0, code="a" * 64))
    assert hint in makers.why_nothing(selection)

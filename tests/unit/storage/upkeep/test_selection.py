"""Which results are invalid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.errors import InvalidUsage
from voxk8s.storage import LibraryCondition, Provenance, Selection, parse_library
from voxk8s.storage.upkeep.selection import version_order

MADE = Provenance(
    kernel="lab.f",
    version=2,
    libraries={"scikit_image": "0.22", "numpy": "2.0"},
    ancestors=("default.load@2", "simpleitk.Median@1+SimpleITK=2.4.1"),
)


@pytest.mark.parametrize(
    ("selection", "matches"),
    [
        (Selection("lab.f"), True),
        (Selection("lab.*"), True),
        (Selection("lab"), False),
        (Selection("simpleitk.Median"), False),
        (Selection("lab.f", 2), True),
        (Selection("lab.f", 1), False),
        (Selection(library=parse_library("Scikit-Image<0.23")), True),
        (Selection(library=parse_library("scikit-image<0.22")), False),
        (Selection(library=parse_library("torch<9")), False),
        (Selection("lab.f", 2, parse_library("numpy==2")), True),
        (Selection("lab.g", library=parse_library("numpy==2")), False),
    ],
)
def test_all_given_conditions_must_match(selection: Selection, matches: bool) -> None:
    """Kernel by a pattern, version by its number, libraries by their distributions."""
    assert selection.matches(MADE) is matches


@pytest.mark.parametrize(
    ("selection", "matches"),
    [
        (Selection("simpleitk.*"), True),
        (Selection("simpleitk.*", 2), False),
        (Selection("simpleitk.*", library=parse_library("SimpleITK<2.5")), True),
        (Selection("simpleitk.*", library=parse_library("SimpleITK<2.4")), False),
        (Selection("lab.f"), False),
    ],
)
def test_ancestors_match_by_their_own_versions(selection: Selection, matches: bool) -> None:
    """A result depends on the kernels that made what is below it."""
    assert selection.matches_below(MADE) is matches


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SimpleITK<2.5", LibraryCondition("SimpleITK", "<", "2.5")),
        ("scikit-image <= 0.22.0", LibraryCondition("scikit-image", "<=", "0.22.0")),
        ("torch==2.1+cu121", LibraryCondition("torch", "==", "2.1+cu121")),
    ],
)
def test_conditions_are_read(text: str, expected: LibraryCondition) -> None:
    """With or without spaces."""
    assert parse_library(text) == expected


@pytest.mark.parametrize("text", ["SimpleITK", "SimpleITK>2", "<2", "SimpleITK<", "a<1<2"])
def test_other_conditions_are_refused(text: str) -> None:
    """The message has an example."""
    with pytest.raises(InvalidUsage, match=r"SimpleITK<2\.5"):
        parse_library(text)


def test_everything_cannot_be_selected() -> None:
    """Neither by no condition, nor by a version of all kernels."""
    with pytest.raises(InvalidUsage, match="--kernel"):
        Selection()
    with pytest.raises(InvalidUsage, match="the version alone"):
        Selection(version=1, library=parse_library("numpy<2"))


def test_versions_are_in_order() -> None:
    """As packages number them: releases after their candidates, numbers as numbers."""
    ordered = [
        "1.9",
        "1.10.dev1",
        "1.10a1",
        "1.10b1",
        "1.10rc1",
        "1.10rc2",
        "1.10",
        "1.10.post1",
        "1.10.1",
        "2",
    ]
    assert sorted(ordered, key=version_order) == ordered
    for same in ("1.10.0", "1.10+cu121"):
        assert version_order(same) == version_order("1.10")


RELEASES = st.lists(st.integers(0, 99), min_size=1, max_size=4)


@given(RELEASES, RELEASES)
def test_releases_compare_as_their_numbers(one: list[int], other: list[int]) -> None:
    """Missing numbers are zeros."""
    padded = [each + [0] * (4 - len(each)) for each in (one, other)]
    first, second = (version_order(".".join(map(str, each))) for each in (one, other))
    assert (first < second) is (padded[0] < padded[1])
    assert (first == second) is (padded[0] == padded[1])

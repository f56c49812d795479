"""Pins of inputs: remembered, read, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.plans_and_runs import QUICK, fresh_store
from voxk8s.errors import StoreUnreachable
from voxk8s.execution.run.pin_inputs import digest_locally, pin_inputs
from voxk8s.inputs.input_options import InputOptions
from voxk8s.plan import InputRef, OperationId, Pin, Role
from voxk8s.storage import ResultStore

OPTIONS = InputOptions()


def _load(name: str, url: object) -> InputRef:
    return InputRef(OperationId(name), Role.LOAD, (str(url),))


class Digests:
    """Digests here, and keeps the URLs."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    def __call__(self, urls: Sequence[str]) -> list[object]:
        self.urls.extend(urls)
        return digest_locally(urls, OPTIONS, QUICK)


def test_an_unchanged_input_is_read_once(tmp_path: Path) -> None:
    """The second time the store remembers the pin; a changed file is read again."""
    path, store, digests = tmp_path / "a.json", fresh_store(), Digests()
    path.write_text("1")
    first = pin_inputs([_load("a", path)], OPTIONS, store, digests, QUICK)
    assert pin_inputs([_load("a", path)], OPTIONS, store, digests, QUICK).pins == first.pins
    assert len(digests.urls) == 1
    path.write_text("22")
    changed = pin_inputs([_load("a", path)], OPTIONS, store, digests, QUICK)
    assert len(digests.urls) == 2
    assert changed.pins[OperationId("a")].digest != first.pins[OperationId("a")].digest


def test_without_a_store_nothing_is_remembered(tmp_path: Path) -> None:
    """A run that bypasses the store reads its inputs to name them."""
    path, digests = tmp_path / "a.json", Digests()
    path.write_text("1")
    for _ in range(2):
        assert pin_inputs([_load("a", path)], OPTIONS, None, digests, QUICK).pins
    assert len(digests.urls) == 2


def test_one_file_is_read_once_for_all_who_load_it(tmp_path: Path) -> None:
    """Several operations with one URL share one look and one digest."""
    path, digests = tmp_path / "a.json", Digests()
    path.write_text("1")
    refs = [_load("a", path), _load("b", path)]
    pinned = pin_inputs(refs, OPTIONS, None, digests, QUICK)
    assert pinned.pins[OperationId("a")] is pinned.pins[OperationId("b")]
    assert len(digests.urls) == 1


def test_what_cannot_be_pinned_is_an_error_of_its_own(tmp_path: Path) -> None:
    """A missing file has its error; the others have their pins."""
    there = tmp_path / "a.json"
    there.write_text("1")
    refs = [_load("a", there), _load("b", tmp_path / "none.json")]
    pinned = pin_inputs(refs, OPTIONS, fresh_store(), Digests(), QUICK)
    assert list(pinned.pins) == ["a"]
    assert "none.json" in str(pinned.errors[OperationId("b")])


def test_a_store_that_does_not_answer_is_no_fault_of_an_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run hears of the store; no input is said to be missing."""
    path = tmp_path / "a.json"
    path.write_text("1")

    def away(*_: object) -> Pin | None:
        raise StoreUnreachable("away")

    monkeypatch.setattr(ResultStore, "pin_get", away)
    with pytest.raises(StoreUnreachable):
        pin_inputs([_load("a", path)], OPTIONS, fresh_store(), Digests(), QUICK)


def test_a_place_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    """Where local files may not be read the error says so."""
    path = tmp_path / "a.json"
    path.write_text("1")
    options = InputOptions(local_allowed=False)
    pinned = pin_inputs([_load("a", path)], options, None, Digests(), QUICK)
    assert type(pinned.errors[OperationId("a")]).__name__ == "InputNotAllowed"


def test_a_listing_is_pinned_by_its_names(tmp_path: Path) -> None:
    """A folder's pin has its entries; another file in it makes another pin."""
    (tmp_path / "a.txt").write_text("1")
    ref = InputRef(OperationId("d"), Role.LISTING, (str(tmp_path), "*.txt"))
    first = pin_inputs([ref], OPTIONS, fresh_store(), Digests(), QUICK).pins[ref.id]
    (tmp_path / "b.txt").write_text("1")
    second = pin_inputs([ref], OPTIONS, fresh_store(), Digests(), QUICK).pins[ref.id]
    assert isinstance(first, Pin)
    assert (first.entries, second.entries) == (("a.txt",), ("a.txt", "b.txt"))
    assert first.digest != second.digest

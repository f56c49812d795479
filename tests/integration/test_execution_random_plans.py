"""Random plans in concurrent runs, while their stores lose and spoil what they hold."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.hostile_runs import Counts, batches, harm_folder, hostile_batch
from tests.support.random_plans import Inputs
from voxk8s.execution.executors import find_executor
from voxk8s.storage import open_store

BATCHES = 25


@pytest.fixture(autouse=True)
def _kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that fail are registered."""
    monkeypatch.setenv("VOXK8S_TEST_KERNELS", "1")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("executor", ["synchronous", "threads"])
@pytest.mark.parametrize("is_harmed", [False, True], ids=["sound stores", "harmed stores"])
def test_every_goal_has_the_value_that_an_evaluator_gives(
    tmp_path: Path, executor: str, is_harmed: bool
) -> None:
    """Nothing is wrong, hangs, or fails though it could be computed: in any mode, side by side."""
    inputs = Inputs.write(tmp_path / "inputs")
    urls = [str(tmp_path / f"store{number}") for number in range(2)]
    harms = [harm_folder(Path(url), open_store(url)) for url in urls] if is_harmed else []
    stores = [open_store(url) for url in urls]
    counts = Counts()
    for seed, plans in batches(inputs, range(BATCHES)):
        chance = random.Random(seed)
        hostile_batch(
            find_executor(executor),
            stores,
            harms,
            plans,
            chance,
            counts,
            output=tmp_path / "output",
            most_runs=2,
        )
    assert counts.goals > 150
    assert not counts.mistakes

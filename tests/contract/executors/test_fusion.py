"""Fused operations give the same bits, and are told one by one, on every executor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.plans_and_runs import CountingPolicy, Memory, Unfused, engine_on, fresh_store
from tests.tools.bench.volumes import as_image
from voxk8s import compile_program
from voxk8s.execution.events import OperationFinished
from voxk8s.execution.executors.protocol import Executor
from voxk8s.formats.encode_file import encode_file
from voxk8s.plan import WorkPlan

PROGRAM = """
import "stdlib.imgql"
load image = "{path}"
let best(values) = values[argmax(values)]
let score(high, low, r) =
  let area = maxvol(near(imclose(grow(smoothen(image >. high, r / 4), image >. low), r))) in
  volume(!touch(!area, border)) .-. volume(imopen(area, r))
print "best" best(for high in [0.7, 0.8, 0.9] do
  best(for low in [0.5, 0.6] do best(for r in [1.0, 1.5] do score(high, low, r))))
"""


@pytest.fixture
def plan(tmp_path: Path) -> WorkPlan:
    """A small sweep over an image of noise."""
    noise = np.random.default_rng(5).random((12, 14, 16)).astype(np.float32)
    path = tmp_path / "image.nii.gz"
    path.write_bytes(encode_file(as_image(noise), ".nii.gz").data)
    return compile_program(PROGRAM.format(path=path), name="sweep.imgql")


def test_fusion_changes_no_bits(executor: Executor, plan: WorkPlan, tmp_path: Path) -> None:
    """Every operation has the same stored value, and one event, with and without fusion."""
    digests: list[dict[str, str]] = []
    tasks: list[int] = []
    for apart in (True, False):
        policy, memory = CountingPolicy(Unfused() if apart else None), Memory()
        store = fresh_store(None if executor.is_local else tmp_path)
        engine = engine_on(store, executor, scheduling=policy, listeners=(memory,), policy="all")
        result = engine.execute_workplan(plan)
        assert result.success
        finished = [event.key for event in memory.of(OperationFinished)]
        assert len(finished) == len(set(finished)) == result.total_operations
        records = store.records(finished)
        digests.append({key: record.digest for key, record in records.items()})
        tasks.append(policy.tasks)
    assert len(digests[0]) > 100
    assert digests[0] == digests[1]
    assert tasks[1] * 5 <= tasks[0]

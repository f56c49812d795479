"""Expected seconds and sizes of operations."""

from __future__ import annotations

import pytest

from voxk8s.costs.cost_model import CostGroup, CostModel
from voxk8s.kernels import registry
from voxk8s.plan import (
    Digest,
    KeyConstant,
    KeyNode,
    KeyOperation,
    OperationId,
    Pin,
    ResultKey,
    Role,
)
from voxk8s.plan.kernel_version import KernelVersion
from voxk8s.storage.kernel_costs import Cost, KernelCosts, size_class

MEBI = 2**20


def _operation(name: str, kernel: str, *arguments: str) -> KeyOperation:
    keys = tuple(ResultKey(each) for each in arguments)
    return KeyOperation(ResultKey(name), kernel, KernelVersion(), keys, OperationId(name))


def _input(size: int, url: str = "x.nii") -> KeyOperation:
    pin = Pin(url, Digest("0" * 64), size)
    key, operation = ResultKey("input"), OperationId("input")
    return KeyOperation(key, "default.load", KernelVersion(), (), operation, Role.LOAD, pin)


def _nodes(*nodes: KeyNode) -> dict[ResultKey, KeyNode]:
    return {node.key: node for node in (KeyConstant(ResultKey("one"), 1.0), *nodes)}


NEAR = _operation("near", "vox1.near", "input")
VOLUME = _operation("volume", "vox1.volume", "near")
ABOVE = _operation("above", "default.addition", "volume", "one")


@pytest.mark.parametrize(
    ("url", "voxels"), [("x.nii", 2 * MEBI), ("x.nii.gz", 2 * MEBI)], ids=["plain", "compressed"]
)
def test_sizes_follow_from_the_inputs(url: str, voxels: int) -> None:
    """An image is as large as its largest argument; a measurement of it is a plain value."""
    model = CostModel(registry())
    nodes = _nodes(_input(4 * MEBI, url), NEAR, VOLUME, ABOVE)
    sizes = [model.voxels(nodes, ResultKey(key)) for key in ("above", "volume", "near", "input")]
    assert sizes == [0, 0, voxels, voxels]
    assert [model.size(nodes, each) for each in (NEAR, VOLUME, ABOVE)] == [voxels, voxels, 0]
    assert model.size(nodes, _input(4 * MEBI)) == 4 * MEBI


def test_a_small_compressed_file_may_be_a_large_mask() -> None:
    """A mask that is nearly empty has a few kilobytes."""
    assert (
        CostModel(registry()).voxels(_nodes(_input(2000, "x.nii.gz")), ResultKey("input")) == MEBI
    )


def test_recorded_sizes_of_inputs_are_used() -> None:
    """What the store remembers of files of this size is better than a guess; so is the file."""
    costs = KernelCosts({"default.load": {size_class(4 * MEBI): Cost(2, 1.0, 9e6)}})
    model = CostModel(registry(), costs)
    nodes = _nodes(_input(4 * MEBI), NEAR)
    assert model.voxels(nodes, NEAR.key) == 9_000_000
    model = CostModel(registry(), costs)
    model.measured(ResultKey("input"), 7)
    assert model.voxels(nodes, NEAR.key) == 7


def test_hints_are_used_until_costs_are_recorded() -> None:
    """Many recorded calls decide; a single one counts together with the hint."""
    nodes = _nodes(_input(4 * MEBI), NEAR)
    hinted = CostModel(registry()).seconds(nodes, NEAR)
    assert hinted is not None
    for calls, low, high in ((63, 0.95, 1.0), (0.25, 0.1, 0.3)):
        model = CostModel(
            registry(), KernelCosts({"vox1.near": {size_class(2 * MEBI): Cost(calls, 1.0)}})
        )
        recorded = model.seconds(nodes, NEAR)
        assert recorded is not None
        assert low <= recorded <= high


def test_recorded_costs_may_come_later() -> None:
    """What was estimated before is forgotten."""
    nodes = _nodes(_input(4 * MEBI), NEAR)
    model = CostModel(registry())
    before = model.seconds(nodes, NEAR)
    model.use(KernelCosts({"vox1.near": {size_class(2 * MEBI): Cost(64, 5.0)}}))
    after = model.seconds(nodes, NEAR)
    assert before is not None
    assert after is not None
    assert after > 4.0 > before


def test_kernels_without_hint_are_unknown_until_measured() -> None:
    """Nothing is assumed about a user's kernel."""
    operation = _operation("x", "lab.unheard_of", "one")
    nodes = _nodes(operation)
    assert CostModel(registry()).seconds(nodes, operation) is None
    known = CostModel(registry(), KernelCosts({"lab.unheard_of": {0: Cost(1, 2.0)}}))
    assert known.seconds(nodes, operation) == 2.0
    assert known.group_seconds(CostGroup("lab.unheard_of", 0)) == 2.0


def test_a_long_chain_needs_no_recursion() -> None:
    """The size of the last of 100,000 operations is found from the first."""
    chain = [_operation("0", "vox1.near", "input")]
    chain += [_operation(str(at), "vox1.near", str(at - 1)) for at in range(1, 100_000)]
    nodes = _nodes(_input(4 * MEBI), *chain)
    assert CostModel(registry()).voxels(nodes, chain[-1].key) == 2 * MEBI

"""The table of the keys made so far."""

from __future__ import annotations

import pytest

from tests.support.kernel_index import FakeIndex
from tests.support.plan_documents import INDEX, pin
from voxk8s.errors import InvalidPlan
from voxk8s.plan import (
    KeyConstant,
    KeyOperation,
    OperationId,
    ResultKey,
    Role,
    constant_id,
    expansion_limit,
)
from voxk8s.plan.kernel_version import KernelVersion, UnknownKernelVersion, numbered
from voxk8s.plan.keys.key_graph import Deferred
from voxk8s.plan.keys.key_table import KeyTable
from voxk8s.plan.keys.partial_keys import PartialKey
from voxk8s.plan.keys.result_keys import constant_key, kernel_tail, operation_key
from voxk8s.plan.signature import Signature
from voxk8s.plan.visible_kernels import VisibleKernels

ADDITION = Signature("default.addition", 3, 2, 2)
TAIL = kernel_tail("default.addition", numbered(3))
NAME = OperationId("sum")
UNKNOWN = PartialKey(OperationId("unknown"), None)


@pytest.fixture
def table() -> KeyTable:
    """An empty table."""
    return KeyTable(VisibleKernels(INDEX, ()), {}, {})


def _sum(table: KeyTable, *arguments: PartialKey, name: OperationId = NAME) -> PartialKey:
    made = table.operation(ADDITION, arguments, name)
    table.partial[name] = made
    return made


def test_an_operation_whose_kernel_has_no_known_version_has_no_key(table: KeyTable) -> None:
    """The reason is that of the index."""

    class Forgetful(FakeIndex):
        def version_of(self, signature: Signature) -> KernelVersion:
            raise UnknownKernelVersion(f"{signature.qualified} needs what is not installed")

    table.kernels = VisibleKernels(Forgetful(), ())
    signature = Signature("a.f", 1, 1, 1, libraries=("absent",))
    made = table.operation(signature, [table.constant(1)], NAME)
    assert made.key is None
    assert table.rejected == {NAME: "a.f needs what is not installed"}


def test_a_constant_is_made_once(table: KeyTable) -> None:
    """One value has one partial key and one node; its id follows from the value."""
    one = table.constant(1.5)
    assert table.constant(1.5) is one
    assert (one.id, one.key, one.value) == (constant_id(1.5), constant_key(1.5), 1.5)
    assert table.nodes == {one.key: KeyConstant(constant_key(1.5), 1.5)}


def test_an_operation_whose_arguments_have_keys_is_a_node(table: KeyTable) -> None:
    """It has the kernel, the version and the arguments of its key."""
    one, two = table.constant(1), table.constant(2)
    made = _sum(table, one, two)
    keys = (constant_key(1), constant_key(2))
    assert made.key == operation_key(TAIL, keys)
    expected = KeyOperation(made.key, "default.addition", numbered(3), keys, NAME, Role.COMPUTE)
    assert table.nodes[made.key] == expected


def test_equal_operations_are_one_node(table: KeyTable) -> None:
    """The node keeps the id under which the key was made first."""
    one = table.constant(1)
    first, second = _sum(table, one, one), _sum(table, one, one, name=OperationId("again"))
    assert first.key == second.key
    assert first.key is not None
    [node] = [each for each in table.nodes.values() if isinstance(each, KeyOperation)]
    assert node.operation == NAME


def test_an_operation_waits_for_arguments_without_a_key(table: KeyTable) -> None:
    """The keys of its other arguments are kept as needs; it is not a node."""
    one = table.constant(1)
    made = _sum(table, one, UNKNOWN)
    assert (made.key, made.waits, made.needs) == (None, (UNKNOWN,), (one.key,))
    assert list(table.nodes) == [one.key]


def test_reasons_of_operations_without_a_key_are_kept(table: KeyTable) -> None:
    """A deferred operation names its pivot, a rejected one the reason."""
    assert table.defer(NAME, ResultKey("pivot")).key is None
    assert table.reject(OperationId("bad"), "not a folder").key is None
    assert table.deferred == {NAME: Deferred(NAME, ResultKey("pivot"))}
    assert table.rejected == {"bad": "not a folder"}


def test_an_extended_table_keeps_what_has_a_key(table: KeyTable) -> None:
    """What had none is made again with more pins and values; the old table is unchanged."""
    one = table.constant(1)
    _sum(table, one, UNKNOWN)
    table.reject(OperationId("bad"), "too long")
    larger = table.extended({NAME: pin("s3://x/a")}, {ResultKey("pivot"): [1]})
    assert larger.partial == {one.id: one}
    assert (larger.nodes, larger.rejected) == (table.nodes, {})
    assert (larger.pins, larger.values) == ({NAME: pin("s3://x/a")}, {"pivot": [1]})
    larger.constant(2)
    assert list(table.nodes) == [one.key]
    assert (table.pins, table.values) == ({}, {})


def test_operations_of_all_loops_are_counted(
    table: KeyTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit holds for their sum; it may be reached, but not exceeded."""
    monkeypatch.setattr(expansion_limit, "_limit", 50)
    table.count(20)
    table.count(30)
    with pytest.raises(InvalidPlan, match=r"more than 50 operations, .*; split the plan"):
        table.count(1)

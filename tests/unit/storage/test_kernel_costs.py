"""Recorded costs: means by kernel and size, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.storage import kernel_costs
from voxk8s.storage.kernel_costs import MAX_WEIGHT, Cost, CostRecorder, KernelCosts, size_class

DAY = 86_400.0


def _one(
    kernel: str = "a.b", size: int = 1000, *, calls: float = 2, seconds: float = 1.0
) -> KernelCosts:
    return KernelCosts({kernel: {size_class(size): Cost(calls, seconds)}})


def test_sizes_are_classes_of_powers_of_two() -> None:
    """The cost of one size is that of all sizes with as many binary digits."""
    costs = _one(size=1000)
    found = costs.find("a.b", 600)
    assert found is not None
    assert found.seconds == 1.0


def test_what_was_never_measured_is_not_known() -> None:
    """Neither another kernel nor a size that is far away gives a cost."""
    costs = _one(size=1000)
    assert costs.find("a.c", 1000) is None
    assert costs.find("a.b", 10**9) is None
    assert costs.find("a.b", 0) is None


def test_costs_of_another_size_are_scaled() -> None:
    """Larger images take longer in proportion; smaller ones are not taken to be faster."""
    costs = _one(size=1000)
    twice, half = costs.find("a.b", 2000), costs.find("a.b", 500)
    assert twice is not None
    assert half is not None
    assert (twice.seconds, half.seconds) == (2.0, 1.0)


def test_means_are_weighted_and_their_weight_is_bounded() -> None:
    """Calls count alike, but a thousand old ones do not outweigh a hundred new ones."""
    merged = _one(calls=1, seconds=1.0).merged(_one(calls=3, seconds=2.0)).find("a.b", 1000)
    assert merged == Cost(4, 1.75)
    old, new = _one(calls=1000, seconds=1.0), _one(calls=100, seconds=3.0)
    followed = KernelCosts().merged(old).merged(old).merged(new).find("a.b", 1000)
    assert followed is not None
    assert followed.calls == MAX_WEIGHT
    assert followed.seconds > 2.0


def test_the_entries_measured_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of entries is bounded; old ones go first."""
    monkeypatch.setattr(kernel_costs, "MAX_ENTRIES", 2)
    days = {"old": 1, "new": 3, "newer": 4}
    costs = KernelCosts()
    for name, day in days.items():
        costs = costs.merged(KernelCosts({name: {5: Cost(1, 1.0, 0.0, day)}}))
    assert sorted(kernel for kernel, _, _ in costs) == ["new", "newer"]


def test_the_slowest_call_of_a_run_does_not_count() -> None:
    """The first call of a process compiles and imports."""
    recorder = CostRecorder()
    for seconds in (9.0, 1.0, 1.0):
        recorder.add("a.b", 1000, seconds, voxels=7)
    recorder.add("a.c", 0, 5.0)
    costs = recorder.costs(now=2.5 * DAY)
    assert costs.find("a.b", 1000) == Cost(2, 1.0, 7, 2)
    assert costs.find("a.c", 0) == Cost(0.25, 5.0, 0, 2)
    assert recorder.seconds == 16.0
    recorder.clear()
    assert len(recorder.costs(now=0)) == 0


def test_impossible_entries_are_left_out() -> None:
    """A document with negative or infinite numbers, or other sizes, is read without them."""
    wire = {
        "a.b": {"5": Cost(1, 1.0), "6": Cost(1, -1.0), "x": Cost(1, 1.0)},
        "a.c": {"1": Cost(1, float("inf"))},
    }
    assert KernelCosts.from_wire(wire) == KernelCosts({"a.b": {5: Cost(1, 1.0)}})


_COSTS = st.builds(
    KernelCosts,
    st.dictionaries(
        st.sampled_from(["a.b", "a.c"]),
        st.dictionaries(
            st.integers(0, 40),
            st.builds(
                Cost, st.floats(0, 64), st.floats(0, 1e6), st.floats(0, 1e12), st.integers(0, 10**5)
            ),
        ),
    ),
)


@given(_COSTS, _COSTS)
def test_merging_loses_no_entry_and_stays_between(one: KernelCosts, other: KernelCosts) -> None:
    """Every kernel and size of both is there, with a mean between the two; writing keeps it."""
    merged = one.merged(other)
    both = {(kernel, size) for each in (one, other) for kernel, size, _ in each}
    assert {(kernel, size) for kernel, size, _ in merged} == both
    for kernel, size, cost in merged:
        given_ = [
            c.seconds for each in (one, other) for k, s, c in each if (k, s) == (kernel, size)
        ]
        assert min(given_) * 0.999 - 1e-9 <= cost.seconds <= max(given_) * 1.001 + 1e-9
    assert KernelCosts.from_wire(merged.to_wire()) == merged

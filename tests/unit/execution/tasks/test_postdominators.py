"""Where the uses of a value come together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voxk8s.execution.tasks.postdominators import (
    MAX_STEPS,
    NONE,
    immediate_postdominators,
)


def test_the_only_user_is_the_parent() -> None:
    """In a chain each node is below the next one."""
    assert immediate_postdominators([[], [0], [1]]) == [1, 2, NONE]


def test_branches_meet_where_they_join() -> None:
    """What both branches of a diamond use is below the node that joins them."""
    assert immediate_postdominators([[], [0], [0], [1, 2]]) == [3, 3, 3, NONE]


def test_results_are_used_outside() -> None:
    """A result is below nothing, although another node uses it too."""
    assert immediate_postdominators([[], [0], [1]], [1]) == [1, NONE, NONE]


def test_branches_that_never_meet_have_no_parent() -> None:
    """A node with two users that are both results is used outside of any group."""
    assert immediate_postdominators([[], [0], [0]]) == [NONE, NONE, NONE]


def test_the_way_to_a_meeting_point_is_bounded() -> None:
    """Users of one node are not followed up a long chain: the time stays linear."""
    length = 3 * MAX_STEPS
    chain: list[list[int]] = [[], [0], *([number - 1] for number in range(2, length))]
    short = [list(each) for each in chain]
    short[3].append(0)
    assert immediate_postdominators(short)[0] == 3
    chain[-1].append(0)
    assert immediate_postdominators(chain)[0] == NONE


@st.composite
def _graphs(draw: st.DrawFn) -> tuple[list[list[int]], set[int]]:
    count = draw(st.integers(1, 12))
    needs = [
        draw(st.lists(st.integers(0, number - 1), max_size=3)) if number else []
        for number in range(count)
    ]
    return needs, draw(st.sets(st.integers(0, count - 1), max_size=3))


@given(_graphs())
def test_every_way_out_passes_the_parent(case: tuple[list[list[int]], set[int]]) -> None:
    """The parent is the nearest node without which no way leads from a node to a result."""
    needs, results = case
    users: list[set[int]] = [set() for _ in needs]
    for node, arguments in enumerate(needs):
        for need in arguments:
            users[need].add(node)
    exits = results | {node for node in range(len(needs)) if not users[node]}

    def escapes(node: int, without: int) -> bool:
        front, seen = [node], {node}
        while front:
            each = front.pop()
            if each in exits:
                return True
            for user in users[each] - seen - {without}:
                seen.add(user)
                front.append(user)
        return False

    for node, parent in enumerate(immediate_postdominators(needs, results)):
        above = [other for other in range(node + 1, len(needs)) if not escapes(node, other)]
        assert parent == (min(above) if above else NONE)

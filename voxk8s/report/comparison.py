"""Two runs side by side: what changed of what went in and came out, and of the time it took."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Literal, TypeAlias

from voxk8s.report import formatting
from voxk8s.report.embedded import GoalSummary, Summary
from voxk8s.report.run_data import KernelTotal

MOST_LINES: Final = 400
"""Largest number of lines of the difference between two programs that is shown."""
_MOST_COMPARED: Final = 4000
"""Largest number of lines of a program that are compared; the time grows with its square."""
FOLDER: Final = "folder"
"""The outcome of a summary that is not of a run but of a folder of results."""
State: TypeAlias = Literal["same", "changed", "only in A", "only in B"]


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter, a version, a setting or an input that two runs do not share."""

    kind: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ResultPair:
    """A result of both runs, or of one; the numbers are those of its goal in each run, from 0."""

    name: str
    state: State
    before: GoalSummary | None
    after: GoalSummary | None
    difference: str = ""
    numbers: tuple[int, int] = (-1, -1)


@dataclass(frozen=True, slots=True)
class KernelPair:
    """The operations of one kernel in both runs, and their seconds."""

    kernel: str
    counts: tuple[int, int]
    seconds: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two runs; `program` has the lines of a unified difference."""

    before: Summary
    after: Summary
    changes: tuple[Change, ...]
    program: tuple[str, ...]
    results: tuple[ResultPair, ...]
    kernels: tuple[KernelPair, ...]
    of_results: bool = False
    """Whether only files are compared: one of both is a folder, which has nothing else."""

    @property
    def differing(self) -> tuple[ResultPair, ...]:
        """The results that are not the same."""
        return tuple(each for each in self.results if each.state != "same")


def compare(
    before: Summary, after: Summary, difference: Callable[[str], str] = lambda _: ""
) -> Comparison:
    """Compare two runs, A and B; results and inputs are the same if their digests are.

    `difference` says of a file with other bytes, by its name, how it differs. Of a folder only
    files are compared.
    """
    if FOLDER in (before.outcome, after.outcome):
        files = tuple(
            replace(pair, difference=difference(pair.name)) if pair.state == "changed" else pair
            for pair in _results(before.goals, after.goals)
            if "save" in {each.kind for each in (pair.before, pair.after) if each is not None}
        )
        return Comparison(before, after, (), (), files, (), of_results=True)
    return Comparison(
        before,
        after,
        (
            *_changes("parameter", before.parameters, after.parameters),
            *_changes("input", _inputs(before), _inputs(after)),
            *_changes("version", before.versions, after.versions),
            *_changes("setting", before.facts, after.facts),
        ),
        _program(before.program, after.program),
        _results(before.goals, after.goals),
        _kernels(before.kernels, after.kernels),
    )


def _changes(
    kind: str, before: Iterable[tuple[str, str]], after: Iterable[tuple[str, str]]
) -> list[Change]:
    old, new = dict(before), dict(after)
    return [
        Change(kind, name, old.get(name, "none"), new.get(name, "none"))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _inputs(run: Summary) -> list[tuple[str, str]]:
    """Return names and digests; those of one name are told apart by their number."""
    seen: Counter[str] = Counter()
    found = []
    for each in run.inputs:
        seen[each.name] += 1
        number = f" ({seen[each.name]})" if seen[each.name] > 1 else ""
        text = f"SHA-256 {each.digest[:16]}…, {formatting.size(each.size)}, {each.content}"
        found.append((f"{each.name}{number}", text if each.digest else "not read"))
    return found


def _program(before: str, after: str) -> tuple[str, ...]:
    if before == after:
        return ()
    old, new = before.splitlines(), after.splitlines()
    left_out = max(len(old), len(new)) > _MOST_COMPARED
    pair = old[:_MOST_COMPARED], new[:_MOST_COMPARED]
    found = list(islice(difflib.unified_diff(*pair, "A", "B", lineterm=""), MOST_LINES + 1))
    if left_out or len(found) > MOST_LINES:
        return (*found[:MOST_LINES], "…")
    return tuple(found)


def _results(before: Sequence[GoalSummary], after: Sequence[GoalSummary]) -> tuple[ResultPair, ...]:
    old, new = _numbered(before), _numbered(after)
    pairs = []
    for key in dict.fromkeys([*old, *new]):
        one, other = old.get(key, -1), new.get(key, -1)
        first = before[one] if one >= 0 else None
        second = after[other] if other >= 0 else None
        state = _state(first, second)
        text = _difference(first, second) if state == "changed" else ""
        pairs.append(ResultPair(key[0], state, first, second, text, (one, other)))
    return tuple(pairs)


def _numbered(goals: Sequence[GoalSummary]) -> Mapping[tuple[str, int], int]:
    """Return the index of each goal by its name, and by its number among those of the name."""
    seen: Counter[str] = Counter()
    found = {}
    for index, each in enumerate(goals):
        found[each.name, seen[each.name]] = index
        seen[each.name] += 1
    return found


def _state(before: GoalSummary | None, after: GoalSummary | None) -> State:
    if before is None:
        return "only in B"
    if after is None:
        return "only in A"
    if before.error or after.error:
        return "same" if before.error == after.error else "changed"
    if before.digest and after.digest:
        return "same" if before.digest == after.digest else "changed"
    return "same" if before.value == after.value else "changed"


def _difference(before: GoalSummary | None, after: GoalSummary | None) -> str:
    """Return how much a number has changed; empty for other values."""
    if before is None or after is None or before.error or after.error:
        return ""
    try:
        old, new = float(before.value), float(after.value)
    except ValueError:
        return ""
    text = f"{new - old:+.6g}"
    return f"{text} ({100 * (new - old) / abs(old):+.3g} %)" if old else text


def _kernels(before: Sequence[KernelTotal], after: Sequence[KernelTotal]) -> tuple[KernelPair, ...]:
    old, new = ({each.kernel: each for each in totals} for totals in (before, after))
    nothing = KernelTotal("", 0, 0.0, 0.0, 0)
    pairs = [
        KernelPair(name, (one.count, other.count), (one.seconds, other.seconds))
        for name in dict.fromkeys([*old, *new])
        for one, other in [(old.get(name, nothing), new.get(name, nothing))]
    ]
    return tuple(sorted(pairs, key=lambda each: (-max(each.seconds), each.kernel)))

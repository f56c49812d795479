"""The runs of a round: a WorkPlan of each kind, what is done to it, and what must be true of it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support import kstatus, workplans
from tests.support.kubectl import Kubectl, KubectlError
from tests.tools.demo import scan

SLEEPS, SECONDS, LINKS_OF_CHAIN = 24, 1.0, 14
CLUSTER: Final[Mapping[str, Any]] = {"maxWorkers": 2, "threadsPerWorker": 1}
GROUPS: Final[Mapping[str, Any]] = {
    **CLUSTER,
    "workerGroups": [{"name": "gpu", "maxWorkers": 1, "provides": {"GPU": 1}}],
}


@dataclass(slots=True)
class Run:
    """A run of one kind, new to the store. `expected` are the values of its printed goals."""

    kind: str
    source: Mapping[str, Any]
    expected: Mapping[str, Any]
    operations: int
    cluster: Mapping[str, Any] = field(default_factory=lambda: CLUSTER)
    applied: float = 0.0
    deeds: list[str] = field(default_factory=list)
    """What was done to it so far."""

    @property
    def name(self) -> str:
        """The name of its WorkPlan: a round has one of a kind."""
        return self.kind

    @property
    def end(self) -> str:
        """What kstatus reads at its end; empty if the WorkPlan goes."""
        return {"failing": "Failed", "deleted": ""}.get(self.kind, "Current")

    def apply(self, kube: Kubectl) -> None:
        """Create the WorkPlan."""
        kube.apply(workplans.workplan(self.name, source=self.source, cluster=self.cluster))
        self.applied = time.monotonic()

    def advance(self, kube: Kubectl, found: Mapping[str, Any] | None) -> bool:
        """Do what is next to be done to the run; return whether it has ended as it should."""
        counts = (found or {}).get("status", {}).get("operations") or {}
        begun = bool(counts.get("computed"))
        late = time.monotonic() - self.applied > 40
        if self.kind == "deleted":
            if "deleted" not in self.deeds and (begun or late):
                kube.run("delete", "workplan", self.name, "--wait=false", "--ignore-not-found")
                self.deeds.append("deleted")
            return "deleted" in self.deeds and found is None
        if self.kind == "suspended" and found is not None:
            if "suspended" not in self.deeds and (begun or late):
                self._suspend(kube, "true")
                self.deeds.append("suspended")
            elif self.deeds == ["suspended"] and _is_suspended(found):
                self._suspend(kube, "false")
                self.deeds.append("resumed")
        return found is not None and kstatus.read(found) in ("Current", "Failed")

    def _suspend(self, kube: Kubectl, value: str) -> None:
        patch = f'{{"spec":{{"suspend":{value}}}}}'
        kube.run("patch", "workplan", self.name, "--type=merge", "-p", patch)

    def faults_at_end(self, found: Mapping[str, Any] | None) -> Iterator[str]:
        """Yield what is wrong with the end of the run."""
        if found is None:
            if self.end:
                yield f"{self.name} is gone"
            return
        reading = kstatus.read(found)
        if reading != self.end:
            message = (found.get("status") or {}).get("message", "")
            yield f"{self.name} is {reading} instead of {self.end}: {message}"
            return
        yield from self._wrong_values(found)
        yield from self._wrong_counts(found["status"].get("operations") or {})

    def _wrong_values(self, found: Mapping[str, Any]) -> Iterator[str]:
        values = workplans.results(found)
        for goal, value in self.expected.items():
            got = values.get(goal)
            if goal.endswith(".json") and isinstance(got, str):
                got = float(scan.read(got))
            if got != value:
                yield f"{self.name}: {goal} is {got}, expected {value}"
        if values.keys() != self.expected.keys():
            yield f"{self.name}: the goals are {sorted(values)}"

    def _wrong_counts(self, counts: Mapping[str, int]) -> Iterator[str]:
        parts = {name: counts.get(name, 0) for name in ("cached", "computed", "failed")}
        failed = 1 if self.kind == "failing" else 0
        # What is below a known result is not looked up when a run resumes, and not counted.
        resumed = parts["cached"] > 0 and sum(parts.values()) <= self.operations
        whole = counts.get("total") == self.operations and (
            resumed or sum(parts.values()) == self.operations
        )
        if not whole or parts["failed"] != failed or counts["running"] or counts["pending"]:
            yield f"{self.name}: of {self.operations} operations the counts are {counts}"


def make_runs(kinds: Sequence[str]) -> list[Run]:
    """Return runs of these kinds with plans that no store has seen.

    The plan of a `twin` is that of the run of `sleeps` beside it: they share all operations.
    """
    shared = _salt()
    return [_make(kind, shared if kind in ("sleeps", "twin") else _salt()) for kind in kinds]


def _salt() -> float:
    # Multiples of 2**-33: sums are exact in whatever order they are made.
    return random.SystemRandom().randrange(1, 2**26) / 2**33


def _make(kind: str, salt: float) -> Run:
    total = SLEEPS * SECONDS + salt * SLEEPS * (SLEEPS + 1) / 2
    operations = 2 * SLEEPS - 1
    plan = workplans.sleeps(SLEEPS, SECONDS, salt)
    last_node = plan["goals"][0]["id"]
    match kind:
        case "chain":
            chain, last = _chain(salt)
            return Run(kind, {"plan": chain}, {"last": last}, LINKS_OF_CHAIN)
        case "program":
            text, values = _program(salt)
            return Run(kind, {"program": text}, values, len(values))
        case "groups":
            plan["nodes"] += [
                workplans.operation("gpu", "test.on_gpu", last_node),
                workplans.operation("end", "addition", "gpu", last_node),
            ]
            plan["goals"] = [workplans.show("end", "both")]
            return Run(kind, {"plan": plan}, {"both": 2 * total}, operations + 2, GROUPS)
        case "saved":
            plan["goals"].append(workplans.save(last_node, "total.json"))
            expected = {"total": total, "total.json": total}
            return Run(kind, {"plan": plan}, expected, operations + 1)
        case "failing":
            plan["nodes"] += [
                workplans.constant("word", f"no luck {salt}"),
                workplans.operation("bad", "test.fail", "word"),
            ]
            plan["goals"].append(workplans.show("bad", "never"))
            return Run(kind, {"plan": plan}, {"total": total}, operations + 1)
        case _:
            return Run(kind, {"plan": plan}, {"total": total}, operations)


def _program(salt: float) -> tuple[str, dict[str, float]]:
    """Return a program of sleeps that are goals, and their values."""
    values = {f"v{place}": SECONDS + salt * (place + 1) for place in range(SLEEPS)}
    lines = [f'print "{goal}" test.sleep({value!r})' for goal, value in values.items()]
    return "\n".join(lines), values


def _chain(salt: float) -> tuple[workplans.Document, float]:
    """Return a plan of sleeps that each wait for the one before, and the value of the last."""
    nodes, value = [workplans.constant("n0", SECONDS + salt)], SECONDS + salt
    nodes += [
        workplans.operation(f"n{place}", "test.sleep", f"n{place - 1}")
        for place in range(1, LINKS_OF_CHAIN + 1)
    ]
    return workplans.document(nodes, [workplans.show(f"n{LINKS_OF_CHAIN}", "last")]), value


def read(kube: Kubectl, name: str) -> dict[str, Any] | None:
    """Return a WorkPlan, or None if there is none; raises KubectlError."""
    try:
        return kube.get("workplan", name)
    except KubectlError as error:
        if "NotFound" in str(error):
            return None
        raise


def _is_suspended(found: Mapping[str, Any]) -> bool:
    return kstatus.condition(found, "Ready").get("reason") == "Suspended"

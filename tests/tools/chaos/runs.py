"""The runs of a round: a WorkPlan of each kind, what is done to it, and what must be true of it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support import kstatus, workplans
from tests.support.kubectl import Kubectl, KubectlError
from tests.tools.demo import scan

SLEEPS, SECONDS, LINKS_OF_CHAIN = 8, 1.0, 10
_SPEC: Mapping[str, Any] = {"cluster": {"maxWorkers": 2, "threadsPerWorker": 1}}


@dataclass(slots=True)
class Run:
    """A run of one kind, new to the store. `expected` are the values of its printed goals."""

    kind: str
    name: str
    plan: workplans.Document
    expected: Mapping[str, Any]
    operations: int
    applied: float = 0.0
    deeds: list[str] = field(default_factory=list)
    """What was done to it so far."""

    @property
    def end(self) -> str:
        """What kstatus reads at its end; empty if the WorkPlan goes."""
        return {"failing": "Failed", "deleted": ""}.get(self.kind, "Current")

    def apply(self, kube: Kubectl) -> None:
        """Create the WorkPlan."""
        kube.apply(workplans.workplan(self.name, self.plan, **_SPEC))
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


def make_run(kind: str) -> Run:
    """Return a run of a kind with a plan that no store has seen."""
    # Multiples of 2**-33: sums are exact in whatever order they are made.
    salt = random.SystemRandom().randrange(1, 2**26) / 2**33
    if kind == "chain":
        plan, last = _chain(salt)
        return Run(kind, kind, plan, {"last": last}, LINKS_OF_CHAIN)
    total = SLEEPS * SECONDS + salt * SLEEPS * (SLEEPS + 1) / 2
    plan = workplans.sleeps(SLEEPS, SECONDS, salt)
    expected: dict[str, Any] = {"total": total}
    operations = 2 * SLEEPS - 1
    last_node = plan["goals"][0]["id"]
    if kind == "saved":
        plan["goals"].append(workplans.save(last_node, "total.json"))
        expected["total.json"] = total
        operations += 1
    if kind == "failing":
        plan["nodes"] += [
            workplans.constant("word", f"no luck {salt}"),
            workplans.operation("bad", "test.fail", "word"),
        ]
        plan["goals"].append(workplans.show("bad", "never"))
        operations += 1
    return Run(kind, kind, plan, expected, operations)


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

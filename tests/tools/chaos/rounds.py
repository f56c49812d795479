"""One round: runs, faults at their times, and what must be true at the end."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support import kstatus
from tests.support.kubectl import Kubectl, KubectlError
from tests.tools.chaos.hands import Hands, wait_until_whole
from tests.tools.chaos.runs import Run, make_runs, read
from tests.tools.chaos.script import Fault, Round
from tests.tools.chaos.witness import Background, Witness, record
from voxk8s.constants import REASON_NO_ROOM, REASON_SUSPENDED

MOST_SECONDS = 300.0
CLEAN_SECONDS = 90.0
PATIENCE = 15.0
"""Seconds for which a fault waits for what it should hit."""
_OF_A_RUN = "daskclusters,daskautoscalers,daskworkergroups,deployments,services"
_ALL = (
    f"workplans,{_OF_A_RUN},jobs,pods,roles,rolebindings,networkpolicies,"
    "serviceaccounts,secrets"
)  # fmt: skip
_OF_A_NAMESPACE = frozenset({"default", "voxk8s-compute", "voxk8s-store"})
"""Accounts and Secrets that all runs of a namespace share."""
_WITHOUT = {REASON_SUSPENDED, REASON_NO_ROOM}
"""Reasons of WorkPlans that give their Dask cluster back and get another one."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What a fault of the script did at last, in seconds after the start of the runs."""

    fault: Fault
    at: float
    what: str
    missed: bool = False

    def __str__(self) -> str:
        lasts = f" {self.fault.lasts:g}" if self.fault.lasts and not self.missed else ""
        return f"{self.at:.0f} s {self.what}{lasts}"


@dataclass(slots=True)
class Outcome:
    """How a round went: what was hit, and what was wrong."""

    script: Round
    seconds: float = 0.0
    hits: list[Hit] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return one line with the seed that repeats the round."""
        state = "good" if not self.mistakes else f"WRONG: {'; '.join(self.mistakes)}"
        return (
            f"seed {self.script.seed}: {self.seconds:.0f} s, {', '.join(self.script.runs)};"
            f" {'; '.join(map(str, self.hits))}: {state}"
        )


def play(
    script: Round,
    cluster: Kubectl,
    witness: Witness,
    loop: Background,
    restart_node: Callable[[], None],
    diagnose: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Play a round in a namespace of its own, which goes at its end."""
    outcome, began = Outcome(script), time.monotonic()
    name = f"chaos-{script.seed}-{uuid.uuid4().hex[:6]}"
    cluster.make_namespace(name)
    kube = cluster.within(name)
    hands = Hands(kube, witness.storm, witness.step_clock, restart_node)
    witness.clear()
    with loop.running(record(witness, name)):
        try:
            runs = make_runs(script.runs)
            for run in runs:
                run.apply(kube)
            _drive(kube, runs, script, hands, outcome)
        finally:
            hands.mend()
        outcome.mistakes += wait_until_whole(cluster)
        outcome.mistakes += _at_the_end(kube, runs)
        outcome.mistakes += _replaced(witness, outcome.hits)
        outcome.mistakes += _left_over(kube, _OF_A_RUN, "after the end")
        if outcome.mistakes:
            diagnose(name)
        outcome.mistakes += _delete_all(kube)
        for states in witness.states.values():
            plan = states[-1]["metadata"]["name"]
            outcome.mistakes += [f"{plan}: {each}" for each in kstatus.broken_rules(states)]
    cluster.run("delete", "namespace", name, "--wait=false", "--ignore-not-found")
    outcome.seconds = time.monotonic() - began
    return outcome


def _drive(kube: Kubectl, runs: list[Run], script: Round, hands: Hands, outcome: Outcome) -> None:
    """Let faults happen at their times, until all runs have ended and no fault is left."""
    began, faults, left = time.monotonic(), list(script.faults), list(runs)
    while faults or left:
        now = time.monotonic() - began
        if now > MOST_SECONDS:
            outcome.mistakes += [f"{run.name} has not ended in {now:.0f} s" for run in left]
            return
        for fault in [each for each in faults if each.at <= now]:
            hit = _begin(hands, fault, now)
            if hit:
                faults.remove(fault)
                outcome.hits.append(hit)
        left = [run for run in left if not _has_ended(kube, run)]
        if not left and faults:
            outcome.hits += [Hit(each, now, f"too late: {each}", missed=True) for each in faults]
            return
        time.sleep(0.5)


def _begin(hands: Hands, fault: Fault, now: float) -> Hit | None:
    """Return what a fault hit, or why nothing; None if its victim may still come."""
    try:
        return Hit(fault, now, hands.start(fault))
    except LookupError as error:
        late = now > fault.at + PATIENCE
        return Hit(fault, now, f"missed: {fault}: {error}", missed=True) if late else None
    except (KubectlError, subprocess.SubprocessError, OSError) as error:
        return Hit(fault, now, f"missed: {fault}: {error}", missed=True)


def _has_ended(kube: Kubectl, run: Run) -> bool:
    try:
        return run.advance(kube, read(kube, run.name))
    except KubectlError:
        return False  # The API server is away.


def _at_the_end(kube: Kubectl, runs: list[Run]) -> Iterator[str]:
    for run in runs:
        yield from run.faults_at_end(read(kube, run.name))


def _replaced(witness: Witness, hits: list[Hit]) -> Iterator[str]:
    """Yield the runs that had more Dask clusters than what happened to them explains."""
    explained = any(hit.fault.may_replace_clusters for hit in hits if not hit.missed)
    for uid, clusters in witness.clusters.items():
        states = witness.states.get(uid, [])
        gone = {kstatus.condition(state, "Ready").get("reason") for state in states} & _WITHOUT
        if len(clusters) > 1 and not gone and not explained:
            name = states[-1]["metadata"]["name"] if states else uid
            yield f"{name} had {len(clusters)} Dask clusters, and nothing explains why"


def _left_over(kube: Kubectl, kinds: str, when: str) -> Iterator[str]:
    """Wait until nothing of these kinds is left; yield what is."""
    end = time.monotonic() + CLEAN_SECONDS
    while True:
        try:
            found = sorted(_name(each) for each in kube.items(kinds) if _counts(each))
        except KubectlError as error:
            found = [str(error)]
        if not found:
            return
        if time.monotonic() > end:
            yield f"left over {when}: {', '.join(found)}"
            return
        time.sleep(1)


def _delete_all(kube: Kubectl) -> Iterator[str]:
    """Delete the WorkPlans; yield what that leaves."""
    kube.run("delete", "workplans", "--all", "--wait=false")
    yield from _left_over(kube, _ALL, "after the deletion")


def _name(thing: Mapping[str, Any]) -> str:
    return f"{thing['kind']} {thing['metadata']['name']}"


def _counts(thing: Mapping[str, Any]) -> bool:
    return thing["metadata"]["name"] not in _OF_A_NAMESPACE

"""One round: runs, faults at their times, and what must be true at the end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support import kstatus
from tests.support.kubectl import Kubectl, KubectlError
from tests.tools.chaos.hands import Hands, wait_until_whole
from tests.tools.chaos.runs import Run, make_run, read
from tests.tools.chaos.script import Round
from tests.tools.chaos.witness import Background, Witness, record

MOST_SECONDS = 300.0
CLEAN_SECONDS = 90.0
_OF_A_RUN = "daskclusters,daskautoscalers,daskworkergroups,deployments,services"
_ALL = (
    f"workplans,{_OF_A_RUN},jobs,pods,roles,rolebindings,networkpolicies,"
    "serviceaccounts,secrets"
)  # fmt: skip
_OF_A_NAMESPACE = frozenset({"default", "voxk8s-compute", "voxk8s-store"})
"""Accounts and Secrets that all runs of a namespace share."""


@dataclass(slots=True)
class Outcome:
    """How a round went: what was hit, and what was wrong."""

    script: Round
    seconds: float = 0.0
    hits: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return one line with the seed that repeats the round."""
        state = "good" if not self.mistakes else f"WRONG: {'; '.join(self.mistakes)}"
        return (
            f"seed {self.script.seed}: {self.seconds:.0f} s, {', '.join(self.script.runs)};"
            f" {'; '.join(self.hits)}: {state}"
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
    witness.states.clear()
    with loop.running(record(witness, name)):
        try:
            runs = [make_run(kind) for kind in script.runs]
            for run in runs:
                run.apply(kube)
            _drive(kube, runs, script, hands, outcome)
        finally:
            hands.mend()
        outcome.mistakes += wait_until_whole(cluster)
        outcome.mistakes += _at_the_end(kube, runs)
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
        while faults and faults[0].at <= now:
            fault = faults.pop(0)
            outcome.hits.append(f"{fault.at:g} s {hands.start(fault)} {fault.lasts or ''}".strip())
        left = [run for run in left if not _has_ended(kube, run)]
        if not left and faults:
            outcome.hits += [f"{len(faults)} faults came too late"]
            return
        time.sleep(0.5)


def _has_ended(kube: Kubectl, run: Run) -> bool:
    try:
        return run.advance(kube, read(kube, run.name))
    except KubectlError:
        return False  # The API server is away.


def _at_the_end(kube: Kubectl, runs: list[Run]) -> Iterator[str]:
    for run in runs:
        yield from run.faults_at_end(read(kube, run.name))


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

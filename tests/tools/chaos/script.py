"""What a round does: which runs, and which faults hit whom and when, all from its seed. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

RUNS: Final = (
    "sleeps",
    "twin",
    "chain",
    "saved",
    "program",
    "groups",
    "failing",
    "suspended",
    "deleted",
)
"""Kinds of runs; `runs` makes their plans and checks their ends."""
KINDS: Final = {"kill": 4, "delete": 2, "pause": 3, "cut": 2, "storm": 2, "clock": 1}
"""Kinds of faults, with how often each is chosen."""
FIRST, LAST = 1, 20
"""Seconds after the start of the runs between which faults begin: undisturbed runs take longer."""
OF_THE_RUN: Final = ("worker", "scheduler", "runner")
OF_THE_SYSTEM: Final = ("leader", "standby", "dask operator", "store")
OF_THE_NODE: Final = (
    "kube-apiserver",
    "etcd",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
)
LINKS: Final = (
    ("worker", "scheduler"),
    ("runner", "scheduler"),
    ("worker", "store"),
    ("runner", "store"),
    ("leader", "store"),
    ("runner", "API server"),
    ("leader", "API server"),
    ("standby", "API server"),
    ("dask operator", "API server"),
    ("worker", "worker"),
    ("runner", "worker"),
    ("dask operator", "scheduler"),
)
STORMS: Final = (429, 500, 410)
"""Answers of the API server to the operator instead of the right ones."""
STEPS: Final = (-60, -20, 20, 60)
"""Seconds by which the clock is set that the operator goes by."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, `at` seconds after the runs were applied.

    `kind` is kill (processes end at once), delete (the pod goes), pause, cut (no packet between
    `victim` and `other`), storm (`victim` is the status) or clock (`victim` is by how many seconds
    the API server's clock is set; it is set back at the end). `lasts` is in seconds.
    """

    at: float
    kind: str
    victim: str
    lasts: float = 0.0
    other: str = ""

    @property
    def may_replace_clusters(self) -> bool:
        """Whether runs may need new Dask clusters after it.

        The dask operator marks a cluster as failed, or never makes its workers, when it or what
        Kubernetes runs on does not answer. Nothing else loses a cluster.
        """
        return "dask operator" in (self.victim, self.other) or self.victim in OF_THE_NODE

    def __str__(self) -> str:
        whom = f"{self.victim} - {self.other}" if self.other else self.victim
        lasts = f" {self.lasts:g} s" if self.lasts else ""
        return f"{self.at:g} s: {self.kind} {whom}{lasts}"


@dataclass(frozen=True, slots=True)
class Round:
    """The runs of a round, started together, and its faults in the order of their times."""

    seed: int
    runs: tuple[str, ...]
    faults: tuple[Fault, ...]


def make_round(seed: int, *, node: bool = True, most_faults: int = 4) -> Round:
    """Return the round of a seed; `node` is whether processes of the node may be hit, too."""
    chance = random.Random(seed)
    runs = ("sleeps", *chance.sample(RUNS[1:], 2))
    faults = [_fault(chance, node) for _ in range(chance.randint(2, most_faults))]
    return Round(seed, runs, tuple(sorted(faults, key=lambda fault: fault.at)))


def _fault(chance: random.Random, node: bool) -> Fault:
    # Drawn in every case, so that a round without faults of the node is otherwise the same.
    at = float(chance.randint(FIRST, LAST))
    (kind,) = chance.choices(tuple(KINDS), tuple(KINDS.values()))
    short, long = float(chance.randint(2, 8)), float(chance.randint(5, 20))
    of_pods = chance.choice((*OF_THE_RUN * 2, *OF_THE_SYSTEM))
    anywhere = chance.choice((*OF_THE_RUN * 2, *OF_THE_SYSTEM, *OF_THE_NODE))
    victim, other = chance.choice(LINKS)
    status, step = chance.choice(STORMS), chance.choice(STEPS)
    match kind if node else "delete":
        case "kill":
            return Fault(at, kind, anywhere)
        case "pause":
            return Fault(at, kind, anywhere, short if anywhere in OF_THE_NODE else long)
        case "cut":
            return Fault(at, kind, victim, long, other)
        case "storm":
            return Fault(at, kind, str(status), long)
        case "clock":
            return Fault(at, kind, f"{step:+}", long)
        case _:
            return Fault(at, "delete", of_pods)

"""`make chaos ROUNDS=… SEED=…`: rounds of faults on the installed cluster, one line each.

A round is a few runs of different kinds, and faults at moments, all chosen by the round's seed;
ROUNDS=1 with that seed repeats it. The exit status is 1 if a round was not good.
"""

from __future__ import annotations

import argparse
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.kubectl import Kubectl, connect
from tests.support.paths import ROOT
from tests.tools.chaos.rounds import Outcome, play
from tests.tools.chaos.script import make_round
from tests.tools.chaos.witness import Background, Witness, background
from tests.tools.cluster.bare import Bare
from tests.tools.cluster.charts import SYSTEM
from tests.tools.cluster.network import NODE_ADDRESS
from tests.tools.cluster.paths import PROVIDER

_OPERATOR = "voxk8s-operator"


def main() -> int:
    """Play the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=600.0, help="begin no round after them")
    options = parser.parse_args()
    seconds = options.minutes * 60
    outcomes = play_rounds(connect(), options.seed, options.rounds, seconds=seconds)
    _show(outcomes)
    return 1 if any(outcome.mistakes for outcome in outcomes) else 0


def play_rounds(
    cluster: Kubectl, seed: int, rounds: int, seconds: float = 36_000.0
) -> list[Outcome]:
    """Play the rounds of consecutive seeds, print a line for each, and return how they went."""
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # clients come and go
    outcomes: list[Outcome] = []
    end = time.monotonic() + seconds
    with prepared(cluster) as (witness, loop):
        for each in range(seed, seed + rounds):
            if time.monotonic() > end:
                break
            script = make_round(each, node=hits_the_node())
            describe = _describer(cluster)
            outcomes.append(play(script, cluster, witness, loop, Bare().up, describe))
            print(outcomes[-1].line(), flush=True)
    return outcomes


@contextmanager
def prepared(cluster: Kubectl) -> Iterator[tuple[Witness, Background]]:
    """Put the proxy between operator and API server, where faults of the node are possible.

    The operator has a second pod that stands by.
    """
    witness = Witness()
    with background() as loop:
        if not hits_the_node():
            yield witness, loop
            return
        started = threading.Event()
        with loop.running(witness.serve(started)):
            started.wait(30)
            system = cluster.within(SYSTEM)
            address = f"KUBERNETES_SERVICE_HOST={NODE_ADDRESS}"
            port = f"KUBERNETES_SERVICE_PORT={witness.port}"
            replicas = system.get("deployment", _OPERATOR)["spec"]["replicas"]
            _change_operator(system, 2, address, port)
            try:
                yield witness, loop
            finally:
                names = ("KUBERNETES_SERVICE_HOST-", "KUBERNETES_SERVICE_PORT-")
                _change_operator(system, replicas, *names)


def _change_operator(system: Kubectl, replicas: int, *env: str) -> None:
    """Set number and environment of the operator's pods, and wait for them."""
    deployment = f"deployment/{_OPERATOR}"
    system.run("scale", deployment, f"--replicas={replicas}")
    system.run("set", "env", deployment, *env)
    system.run("rollout", "status", deployment, "--timeout=300s", timeout=330)


def hits_the_node() -> bool:
    """Whether the processes of the node are ours to hit: on a cluster of this machine."""
    return PROVIDER.exists() and PROVIDER.read_text().strip() == Bare.name


def _describer(cluster: Kubectl) -> Callable[[str], None]:
    """Return what writes down the state of a namespace in which something went wrong."""

    def describe(namespace: str) -> None:
        kube = cluster.within(namespace)
        asked = (
            ("get", "workplans,pods,jobs,daskclusters,daskautoscalers", "-o", "wide"),
            ("get", "workplans", "-o", "yaml"),
            ("get", "events", "--sort-by=.lastTimestamp"),
            ("logs", "-l", "app.kubernetes.io/component=runner", "--tail=60"),
        )
        parts = [kube.run(*words) for words in asked]
        of_operators = ("-l", "app.kubernetes.io/component=operator", "--prefix", "--tail=200")
        parts.append(cluster.within(SYSTEM).run("logs", *of_operators))
        target = ROOT / "reports" / f"{namespace}.txt"
        target.parent.mkdir(exist_ok=True)
        target.write_text("\n".join(parts))
        print(f"what was there is in {target}", flush=True)

    return describe


def _show(outcomes: list[Outcome]) -> None:
    """Print how often each kind of fault hit something, and how the rounds went."""
    hits = [hit for outcome in outcomes for hit in outcome.hits]
    faults = Counter(
        f"{hit.fault.kind} {hit.fault.victim}{f' - {hit.fault.other}' if hit.fault.other else ''}"
        for hit in hits
        if not hit.missed
    )
    runs = Counter(kind for outcome in outcomes for kind in outcome.script.runs)
    print(f"\n{'fault':<32} {'times':>5}")
    for what, times in sorted(faults.items()):
        print(f"{what:<32} {times:>5}")
    print(f"\n{'run':<32} {'times':>5}")
    for what, times in sorted(runs.items()):
        print(f"{what:<32} {times:>5}")
    wrong = [str(outcome.script.seed) for outcome in outcomes if outcome.mistakes]
    seconds = sum(outcome.seconds for outcome in outcomes)
    print(
        f"\n{len(outcomes)} rounds in {seconds / 60:.0f} min, {sum(runs.values())} runs,"
        f" {sum(faults.values())} faults, {len(hits) - sum(faults.values())} that hit nothing;"
        f" not good: {', '.join(wrong) or 'none'}"
    )


if __name__ == "__main__":
    sys.exit(main())

"""The test cluster, a namespace for each test, and the store seen from outside."""

from __future__ import annotations

import json
import os
import random
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support import kstatus
from tests.support.kubectl import Kubectl, KubectlError, cluster_env, connect
from tests.support.waiting import wait_for


@pytest.fixture(scope="session")
def cluster() -> Kubectl:
    """The test cluster."""
    return connect()


@pytest.fixture
def make_namespace(cluster: Kubectl) -> Iterator[Callable[[], Kubectl]]:
    """Make namespaces under Pod Security `restricted`; they go with the test."""
    made: list[str] = []

    def make() -> Kubectl:
        name = f"t-{uuid.uuid4().hex[:10]}"
        cluster.make_namespace(name)
        made.append(name)
        return cluster.within(name)

    yield make
    for name in made:
        cluster.run("delete", "namespace", name, "--wait=false", "--ignore-not-found")


@pytest.fixture
def kube(make_namespace: Callable[[], Kubectl]) -> Kubectl:
    """A fresh namespace."""
    return make_namespace()


@pytest.fixture
def salt() -> float:
    """A number that makes a plan new to the store, below a hundredth of a second when slept.

    A multiple of 2**-33: sums with small integers are exact in whatever order they are made, so
    tests may compare them with `==`.
    """
    return random.SystemRandom().randrange(1, 2**26) / 2**33


class Watch:
    """Every state of one kind of object in a namespace, as `kubectl get --watch` shows them."""

    def __init__(self, kube: Kubectl, kind: str) -> None:
        """Start watching; states arrive in the order in which the API server sends them."""
        # kubectl would block after 64 KiB in a pipe that is not read.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        self._process = subprocess.Popen(
            [
                kube.binary,
                "--kubeconfig",
                str(kube.kubeconfig),
                "-n",
                kube.namespace,
                "get",
                kind,
                "--watch",
                "--output-watch-events",
                "-o",
                "json",
            ],
            stdout=self._output,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def stop(self, until: Callable[[dict[str, Any]], bool] | None = None) -> list[dict[str, Any]]:
        """End the watch once a state satisfies `until`, and return all states."""
        if until is not None:
            wait_for("the watch", lambda: any(map(until, self._states())), 30)
        self._process.terminate()
        self._process.wait(timeout=10)
        states = self._states()
        self.close()
        return states

    def close(self) -> None:
        """End the watch, whatever it saw."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(timeout=10)
        self._output.close()

    def _states(self) -> list[dict[str, Any]]:
        # Read from the start by the file's own descriptor: kubectl goes on writing at the end.
        text = os.pread(self._output.fileno(), os.fstat(self._output.fileno()).st_size, 0).decode(
            errors="ignore"
        )
        decoder, states, place = json.JSONDecoder(), [], 0
        while text[place:].strip():
            place += len(text[place:]) - len(text[place:].lstrip())
            try:
                event, place = decoder.raw_decode(text, place)
            except json.JSONDecodeError:  # cut in the middle of what is written
                break
            states.append(event["object"])
        return states


@pytest.fixture
def watch() -> Iterator[Callable[[Kubectl, str], Watch]]:
    """Watch a kind of objects; every watch ends with the test."""
    running: list[Watch] = []

    def start(kube: Kubectl, kind: str) -> Watch:
        running.append(Watch(kube, kind))
        return running[-1]

    yield start
    for one in running:
        one.close()


def ended(kube: Kubectl, name: str, timeout: float = 240) -> dict[str, Any]:
    """Wait until a WorkPlan has ended, well or not, and give it."""

    def probe() -> dict[str, Any] | None:
        try:
            thing = kube.get("workplan", name)
        except KubectlError:
            return None
        return thing if kstatus.read(thing) in ("Current", "Failed") else None

    try:
        found: dict[str, Any] = wait_for(f"WorkPlan {name} ends", probe, timeout)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{describe(kube, name)}") from None
    return found


def succeeded(kube: Kubectl, name: str, timeout: float = 240) -> dict[str, Any]:
    """Wait until a WorkPlan has ended, see that it succeeded, and give it."""
    thing = ended(kube, name, timeout)
    assert kstatus.condition(thing, "Succeeded").get("status") == "True", describe(kube, name)
    return thing


def under_way(kube: Kubectl, name: str) -> None:
    """Wait until some operations of a WorkPlan are computed."""

    def probe() -> bool:
        operations = kube.get("workplan", name).get("status", {}).get("operations") or {}
        return bool(operations.get("computed"))

    try:
        wait_for("some operations are computed", probe)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{describe(kube, name)}") from None


def waiting(kube: Kubectl, name: str, kind: str, reason: str) -> dict[str, Any]:
    """Wait until a condition is False for a reason and give it."""

    def probe() -> dict[str, Any] | None:
        found = kstatus.condition(kube.get("workplan", name), kind)
        return found if found.get("status") == "False" and found["reason"] == reason else None

    try:
        found: dict[str, Any] = wait_for(f"{kind} is False: {reason}", probe, 120)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{describe(kube, name)}") from None
    return found


@contextmanager
def store_away() -> Iterator[None]:
    """Stop the store's server, and start it again at the end."""
    env = cluster_env()
    subprocess.run(env["STORE_STOP"], shell=True, check=True, capture_output=True, timeout=120)
    try:
        yield
    finally:
        subprocess.run(env["STORE_START"], shell=True, check=True, capture_output=True, timeout=120)


def describe(kube: Kubectl, name: str) -> str:
    """Return what a person would look at when a WorkPlan does not do as it should."""
    parts = []
    for words in (
        ["get", "workplan", name, "-o", "yaml", "--show-managed-fields=false"],
        ["get", "pods,jobs,daskclusters,daskautoscalers", "-o", "wide"],
        ["get", "events", "--sort-by=.lastTimestamp"],
        ["logs", "-l", "app.kubernetes.io/component=runner", "--tail=40"],
    ):
        try:
            parts.append(kube.run(*words))
        except KubectlError as error:
            parts.append(str(error))
    return "\n".join(parts)

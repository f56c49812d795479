"""Waiting for a store that is away or refuses."""

from __future__ import annotations

from typing import Any

import pytest

from voxk8s.errors import (
    InputUnreachable,
    StoreAccessDenied,
    StoreError,
    StoreFull,
    StoreUnreachable,
)
from voxk8s.failure import Failure, failure_of
from voxk8s.plan import OperationId
from voxk8s.runner.status_reporter import StatusReporter
from voxk8s.runner.store_wait import DENIED_SECONDS, CredentialsRefused, StoreWait


class Store:
    """Answers probes by a script: an error is raised, None is a usable store."""

    def __init__(self, *answers: StoreError | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    def probe(self) -> None:
        """Answer once more; the last answer stays."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            raise answer


class Scene:
    """A runner that waits for a store, with a clock that advances only while it sleeps."""

    def __init__(self, *answers: StoreError | None) -> None:
        self.seconds = 0.0
        self.reasons: list[str | None] = []
        self.reporter = StatusReporter()
        self.store = Store(*answers)
        store: Any = self.store
        self.store_wait = StoreWait(
            store, self.reporter, sleep=self._sleep, clock=lambda: self.seconds
        )

    async def _sleep(self, seconds: float) -> None:
        waiting = self.reporter.waiting
        self.reasons.append(waiting.reason if waiting else None)
        self.seconds += seconds


async def test_usable_store_is_probed_once() -> None:
    """A usable store causes no wait and no report."""
    scene = Scene(None)
    await scene.store_wait.until_usable()
    assert (scene.store.asked, scene.seconds, scene.reporter.waiting) == (1, 0.0, None)


async def test_store_that_is_unusable_at_the_start() -> None:
    """The current reason is reported while the runner waits, and removed at the end."""
    found = StoreUnreachable("away"), StoreAccessDenied("no key yet"), StoreFull("no space")
    scene = Scene(*found, None)
    await scene.store_wait.until_usable()
    assert scene.reasons == ["StoreUnreachable", "StoreAccessDenied", "StoreFull"]
    assert scene.reporter.waiting is None


async def test_unreachable_store_is_waited_for_forever() -> None:
    """An unreachable store never needs another pod."""
    scene = Scene(*[StoreUnreachable("away")] * 500, None)
    await scene.store_wait.until_recovered(StoreUnreachable("away"), 10.0)
    assert scene.seconds > 50 * DENIED_SECONDS
    assert set(scene.reasons) == {"StoreUnreachable"}


async def test_denied_access_needs_a_new_pod() -> None:
    """A pod cannot change its credentials, so after DENIED_SECONDS it has to be replaced."""
    scene = Scene(StoreAccessDenied("wrong key"))
    with pytest.raises(CredentialsRefused, match="wrong key"):
        await scene.store_wait.until_usable()
    assert DENIED_SECONDS < scene.seconds <= DENIED_SECONDS + 2
    assert scene.reporter.waiting is not None, "the next pod starts with the same wait"


async def test_another_error_restarts_the_time_of_denied_access() -> None:
    """Access that a restarting store denies now and then does not need a new pod."""
    refused, away = StoreAccessDenied("starting"), StoreUnreachable("away")
    scene = Scene(*[refused, refused, away] * 20, None)
    await scene.store_wait.until_recovered(refused, 8.0)
    assert scene.seconds > 10 * DENIED_SECONDS


def failure(error: Exception) -> Failure:
    """An operation that failed."""
    return failure_of(error, kernel="vox1.dt", operation=OperationId("a"), attempts=4)


async def test_unreachable_store_is_the_cause_of_failures() -> None:
    """The store is not probed, because it may be reachable again."""
    scene = Scene(None)
    failures = [failure(ValueError("E")), failure(StoreUnreachable("no"))]
    outage = await scene.store_wait.outage_behind(failures)
    assert isinstance(outage, StoreUnreachable)
    assert str(outage) == "no"
    assert scene.store.asked == 0


async def test_unreachable_inputs_may_be_caused_by_the_store() -> None:
    """If inputs are unreachable the store is probed: it may be on the same server."""
    away = StoreUnreachable("away")
    failures = [failure(InputUnreachable("no"))]
    assert await Scene(away).store_wait.outage_behind(failures) is away
    assert await Scene(None).store_wait.outage_behind(failures) is None


async def test_errors_of_kernels_are_not_caused_by_the_store() -> None:
    """The store is not probed after permanent failures."""
    scene = Scene(StoreUnreachable("away"))
    assert await scene.store_wait.outage_behind([failure(ValueError("no"))]) is None
    assert scene.store.asked == 0


async def test_messages_are_bounded() -> None:
    """A message of any length fits into the status."""
    scene = Scene(StoreAccessDenied("x" * 10_000))
    with pytest.raises(CredentialsRefused):
        await scene.store_wait.until_usable()
    assert scene.reporter.waiting is not None
    assert len(scene.reporter.waiting.message) == 4000

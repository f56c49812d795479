"""Waiting for a store that is away or refuses."""

from __future__ import annotations

from typing import Any

import pytest

from voxk8s.errors import InputUnreachable, StoreAccessDenied, StoreError, StoreUnreachable
from voxk8s.failure import Failure, failure_of
from voxk8s.plan import OperationId
from voxk8s.runner.status_reporter import StatusReporter
from voxk8s.runner.store_wait import DENIED_SECONDS, CredentialsRefused, StoreWait


class Store:
    """Answers the probe as told: an error is raised, None is a store that works."""

    def __init__(self, *answers: StoreError | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    def probe(self) -> None:
        """Answer once more; the last answer stays."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            raise answer


class Patient:
    """A runner in front of a store, whose time passes only while it waits."""

    def __init__(self, *answers: StoreError | None) -> None:
        self.seconds = 0.0
        self.told: list[str | None] = []
        self.reporter = StatusReporter()
        self.store = Store(*answers)
        store: Any = self.store
        self.patience = StoreWait(
            store, self.reporter, sleep=self._sleep, clock=lambda: self.seconds
        )

    async def _sleep(self, seconds: float) -> None:
        waiting = self.reporter.waiting
        self.told.append(waiting.reason if waiting else None)
        self.seconds += seconds


async def test_a_store_that_answers_is_asked_once() -> None:
    """Where the store works nothing is told and no time passes."""
    patient = Patient(None)
    await patient.patience.until_usable()
    assert (patient.store.asked, patient.seconds, patient.reporter.waiting) == (1, 0.0, None)


async def test_a_store_that_is_away_at_the_start_is_waited_for() -> None:
    """The reason is told as long as it holds, whatever it is, and taken back at the end."""
    patient = Patient(StoreUnreachable("away"), StoreAccessDenied("no key yet"), None)
    await patient.patience.until_usable()
    assert patient.told == ["StoreUnreachable", "StoreAccessDenied"]
    assert patient.reporter.waiting is None


async def test_a_store_that_is_away_is_waited_for_without_end() -> None:
    """However long a store does not answer, that is no reason for another pod."""
    patient = Patient(*[StoreUnreachable("away")] * 500, None)
    await patient.patience.until_recovered(StoreUnreachable("away"), 10.0)
    assert patient.seconds > 50 * DENIED_SECONDS
    assert set(patient.told) == {"StoreUnreachable"}


async def test_credentials_that_stay_refused_ask_for_a_new_pod() -> None:
    """A pod keeps the credentials that it began with: after a while it has to be another one."""
    patient = Patient(StoreAccessDenied("wrong key"))
    with pytest.raises(CredentialsRefused, match="wrong key"):
        await patient.patience.until_usable()
    assert DENIED_SECONDS < patient.seconds <= DENIED_SECONDS + 2
    assert patient.reporter.waiting is not None, "the next pod waits for the same"


async def test_the_time_of_refusals_begins_anew_after_a_failure_of_another_kind() -> None:
    """Refused now and then, by a store that comes and goes, is not refused for good."""
    refused, away = StoreAccessDenied("starting"), StoreUnreachable("away")
    patient = Patient(*[refused, refused, away] * 20, None)
    await patient.patience.until_recovered(refused, 8.0)
    assert patient.seconds > 10 * DENIED_SECONDS


def failure(error: Exception) -> Failure:
    """An operation that failed."""
    return failure_of(error, kernel="vox1.dt", operation=OperationId("a"), attempts=4)


async def test_operations_that_failed_by_a_silent_store_blame_it() -> None:
    """It need not be asked: it may be back already."""
    patient = Patient(None)
    failures = [failure(ValueError("E")), failure(StoreUnreachable("no"))]
    silence = await patient.patience.outage_behind(failures)
    assert isinstance(silence, StoreUnreachable)
    assert str(silence) == "no"
    assert patient.store.asked == 0


async def test_inputs_that_are_away_with_the_store_are_its_fault() -> None:
    """An input may lie on the server of the store; where that answers, the input is missing."""
    away = StoreUnreachable("away")
    failures = [failure(InputUnreachable("no"))]
    assert await Patient(away).patience.outage_behind(failures) is away
    assert await Patient(None).patience.outage_behind(failures) is None


async def test_errors_of_kernels_blame_nobody() -> None:
    """The store is not asked where operations failed for good."""
    patient = Patient(StoreUnreachable("away"))
    assert await patient.patience.outage_behind([failure(ValueError("no"))]) is None
    assert patient.store.asked == 0


async def test_what_the_store_says_is_bounded() -> None:
    """A message of any length fits into the status."""
    patient = Patient(StoreAccessDenied("x" * 10_000))
    with pytest.raises(CredentialsRefused):
        await patient.patience.until_usable()
    assert patient.reporter.waiting is not None
    assert len(patient.reporter.waiting.message) == 4000

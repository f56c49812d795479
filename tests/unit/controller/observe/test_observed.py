"""What an observation derives from its views."""

from __future__ import annotations

from tests.unit.controller import observed_builders as build


def test_ready_workers_are_pods() -> None:
    """Only worker pods that are ready count."""
    pods = (build.pod(), build.pod(ready=False), build.pod("runner"), build.pod("scheduler"))
    assert build.applied(pods=pods).ready_workers == 1


def test_job_is_finished_at_either_end() -> None:
    """A Job is finished when it is complete or failed."""
    assert build.job(complete=True).finished
    assert build.job(failed=True).finished
    assert not build.job().finished

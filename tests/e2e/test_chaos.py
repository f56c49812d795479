"""Faults at random moments of runs: the first rounds of `make chaos`."""

from __future__ import annotations

import pytest

from tests.support.kubectl import Kubectl
from tests.tools.chaos.__main__ import play_rounds

pytestmark = pytest.mark.cluster

SEED, ROUNDS = 0, 3
"""A round takes less than a minute; `make chaos` plays as many as one has time for."""


@pytest.mark.timeout(1200)
def test_rounds_of_faults(cluster: Kubectl) -> None:
    """Every run ends with the right values, each operation counted once, and nothing is left."""
    outcomes = play_rounds(cluster, SEED, ROUNDS)
    assert [outcome.line() for outcome in outcomes if outcome.mistakes] == []

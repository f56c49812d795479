"""Autoscalers go before their clusters.

The dask operator asks the scheduler at every tick of an autoscaler. One that finds no scheduler
behind its name any more blocks that operator, with all that it looks after, for minutes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from voxk8s.controller.observe.observed import Observed

GRACE = timedelta(seconds=5)
"""How long a DaskCluster that is to go waits for its autoscaler to be gone."""


def autoscaler_may_poll(observed: Observed, now: datetime) -> bool:
    """Say whether an autoscaler may still ask for the scheduler of the cluster."""
    scaler = observed.autoscaler
    return scaler is not None and (scaler.deleting is None or now - scaler.deleting < GRACE)

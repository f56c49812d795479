"""Keeps a ResourceQuota in each namespace that has WorkPlans: of their number, and other amounts.

The API server counts, so nobody is over the bound for a moment, and no WorkPlan beyond it takes
memory of the operator or of the API server. Kubernetes' roles `edit` and `admin` may not change it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from voxk8s import constants
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.resources import RESOURCE_QUOTAS
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.errors import PermanentError, TransientError

_log = logging.getLogger(__name__)
_INTERVAL: Final = 1.0
_REPEAT: Final = 600.0
"""Seconds after which a quota is written again: somebody may have deleted it."""
_RETRY: Final = 30.0


@dataclass(slots=True)
class NamespaceQuotas:
    """Applies `hard`, amounts by name as a ResourceQuota has them; nothing if it is empty."""

    kube: KubeClient
    state: ClusterState
    hard: Mapping[str, int | str]
    clock: Callable[[], float] = time.monotonic
    _due: dict[str, float] = field(default_factory=dict)

    async def keep(self) -> None:
        """Write what is due, until cancelled."""
        while self.hard:
            await self.write_due()
            await asyncio.sleep(_INTERVAL)

    async def write_due(self) -> None:
        """Write the quotas of namespaces that are new, or were written some time ago."""
        now = self.clock()
        namespaces = {key.namespace for key in self.state.workplan_keys()}
        self._due = {name: due for name, due in self._due.items() if name in namespaces}
        for namespace in sorted(namespaces):
            if now < self._due.get(namespace, now):
                continue
            self._due[namespace] = now + _REPEAT
            try:
                await self.kube.apply(
                    RESOURCE_QUOTAS,
                    build_quota(namespace, self.hard),
                    namespace,
                    manager=constants.MANAGER_OPERATOR,
                )
            except (PermanentError, TransientError) as error:
                self._due[namespace] = now + _RETRY
                _log.warning("the quota of namespace %s cannot be written: %s", namespace, error)


def build_quota(namespace: str, hard: Mapping[str, int | str]) -> KubeObject:
    """Build the ResourceQuota of a namespace. Its name is fixed, as are the operator's rights."""
    return {
        "apiVersion": RESOURCE_QUOTAS.api_version,
        "kind": RESOURCE_QUOTAS.kind,
        "metadata": {
            "name": constants.QUOTA,
            "namespace": namespace,
            "labels": {
                constants.LABEL_NAME: constants.APP_NAME,
                constants.LABEL_MANAGED_BY: constants.MANAGER_OPERATOR,
            },
        },
        "spec": {"hard": {name: str(amount) for name, amount in hard.items()}},
    }

"""How many Dask clusters there may be at a time, as the chart's `limits` say. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Limits(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Numbers of Dask clusters at a time, in all and in each namespace; 0 for any number.

    Runs for which there is no room on the nodes give way after `no_room_seconds`; 0 for never.
    At first `starts_at_once` runs may be starting at a time; 0 for any number always.
    """

    clusters: int = 0
    clusters_per_namespace: int = 0
    starts_at_once: int = 0
    no_room_seconds: int = 0

    @property
    def any(self) -> bool:
        """Whether there is a number of clusters that may be reached."""
        return bool(self.clusters or self.clusters_per_namespace)

    def reached(self, namespace: str, holding: Mapping[str, int]) -> str:
        """Return the limit that keeps a namespace from another cluster; empty if none does.

        `holding` are the numbers of clusters by namespace.
        """
        if self.clusters and sum(holding.values()) >= self.clusters:
            return f"all {self.clusters} of limits.clusters"
        own = self.clusters_per_namespace
        if own and holding.get(namespace, 0) >= own:
            return f"all {own} of limits.clustersPerNamespace"
        return ""

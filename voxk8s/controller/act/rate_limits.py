"""Token buckets by group: so much at once, and then so much a second."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_FORGET: Final = 1000
"""Number of groups from which on those with full buckets are forgotten."""


@dataclass(slots=True)
class RateLimits:
    """Limits each group to `burst` at once and to `rate` a second."""

    burst: float
    rate: float
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)
    """What was left in each bucket, and when."""

    def take(self, group: str, now: float) -> bool:
        """Whether the group may have one more now, which is then taken."""
        left = self._left(group, now)
        if left < 1.0:
            return False
        self._buckets[group] = left - 1.0, now
        if len(self._buckets) > _FORGET:
            self._buckets = {
                name: bucket
                for name, bucket in self._buckets.items()
                if self._left(name, now) < self.burst
            }
        return True

    def _left(self, group: str, now: float) -> float:
        left, since = self._buckets.get(group, (self.burst, now))
        return min(self.burst, left + (now - since) * self.rate)

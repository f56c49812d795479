"""How many runs may be starting at a time, so that they do not crowd each other.

As TCP's slow start (RFC 5681): few at first, one more for each that has begun, and few again as
soon as a pod fits on no node. Runs that start together cost the nodes and the API server most
before anything is computed: on a small cluster all of them get slower, or none finds room for a
worker; on a large one the number doubles with each run that begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class StartWindow:
    """The runs that are starting, and how many may be."""

    initial: int
    """How many at first; 0 for any number always."""
    _more: int = 0
    """How many more since then."""
    _starting: set[str] = field(default_factory=set)
    """Uids of runs that were let start, and have not begun."""
    _crowded: set[str] = field(default_factory=set)
    """Those of them of which a pod fits on no node."""
    _late: set[str] = field(default_factory=set)
    """Uids of others that were let start, and have not begun."""

    @property
    def has_place(self) -> bool:
        """Whether one more may start."""
        return not self.initial or len(self._starting) < self.size

    @property
    def size(self) -> int:
        """How many may be starting now."""
        return self.initial + self._more

    @property
    def starting(self) -> int:
        """How many are starting now: more than may be if a pod proved to fit on no node since."""
        return len(self._starting)

    def starts(self, uid: str, *, crowded: bool = False) -> None:
        """Note that a run is starting, and whether a pod of it fits on no node."""
        self._late.discard(uid)
        self._starting.add(uid)
        if crowded:
            self._crowded.add(uid)
            self._more = 0
        else:
            self._crowded.discard(uid)

    def begins(self, uid: str) -> None:
        """Note that a run has begun: one more may start, unless a pod fits on no node."""
        if uid in self._starting | self._late and not self._crowded:
            self._more += 1
        self.ends(uid)

    def delays(self, uid: str) -> None:
        """Note that a run takes long, whatever it waits for: its place is free."""
        if uid in self._starting:
            self.ends(uid)
            self._late.add(uid)

    def ends(self, uid: str) -> None:
        """Note that a run starts no more: it is over, or has given way."""
        for uids in (self._starting, self._crowded, self._late):
            uids.discard(uid)

    def close(self) -> None:
        """Begin with few again: nobody waits, and what room there was may be gone."""
        self._more = 0

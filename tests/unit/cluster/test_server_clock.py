"""The API server's time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from voxk8s.cluster.server_clock import ServerClock

NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


class Machine:
    """A machine whose own clock is wrong by some seconds, and a server whose clock is right."""

    def __init__(self, wrong_by: float) -> None:
        self.seconds = 1000.0
        self.wrong_by = wrong_by
        self.clock = ServerClock(lambda: self.seconds, self.local)

    @property
    def right(self) -> datetime:
        """The time of the server."""
        return NOON + timedelta(seconds=self.seconds - 1000.0)

    def local(self) -> datetime:
        """The time of the machine."""
        return self.right + timedelta(seconds=self.wrong_by)

    def ask(self, latency: float = 0.02) -> None:
        """Send a request; half of its time passes before the server makes the answer."""
        sent = self.seconds
        self.seconds += latency / 2
        date = format_datetime(self.right.replace(microsecond=0), usegmt=True)
        self.seconds += latency / 2
        self.clock.note(date, sent, self.seconds)

    def error(self) -> float:
        """How many seconds the estimate is wrong by."""
        return abs((self.clock.now() - self.right).total_seconds())


def test_without_a_response() -> None:
    """Before the first response the machine's own time has to do."""
    machine = Machine(15.0)
    machine.clock.note(None, 0.0, 1.0)
    machine.clock.note("yesterday", 0.0, 1.0)
    assert machine.error() == 15.0


def test_clock_of_the_machine_is_wrong() -> None:
    """One response is good for a second, some responses for much less."""
    machine = Machine(15.0)
    machine.ask()
    assert machine.error() <= 0.52
    for _ in range(40):
        machine.seconds += 0.37
        machine.ask()
    assert machine.error() <= 0.05


def test_another_server() -> None:
    """An answer that contradicts the estimate replaces it."""
    machine = Machine(0.0)
    for _ in range(10):
        machine.seconds += 0.37
        machine.ask()
    date = format_datetime(machine.right + timedelta(seconds=60), usegmt=True)
    machine.clock.note(date, machine.seconds, machine.seconds)
    assert 59.0 <= machine.error() <= 61.0

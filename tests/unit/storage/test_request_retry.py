"""How long a request is tried, and after which pauses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voxk8s.storage.request_retry import Patience, RequestRetry, Trouble

PATIENCE = Patience(overloaded=300.0, failing=120.0, silent=8.0)


class Overloaded(Exception):
    """The store asks to send less."""


class Lost(Exception):
    """No answer."""


class Missing(Exception):
    """An answer."""


def judge(error: BaseException) -> Trouble:
    """Return what the errors above mean."""
    if isinstance(error, Overloaded):
        return Trouble.OVERLOADED
    return Trouble.FAILED if isinstance(error, Lost) else Trouble.ANSWERED


class Scene:
    """A store of which each request takes a second, and a clock that pauses move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.requests = 0
        self.retry = RequestRetry(
            judge, PATIENCE, clock=lambda: self.now, sleep=self.sleep, uniform=lambda: 1.0
        )

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.now += seconds

    def send(self, outcome: Callable[[int], Exception | None], seconds: float = 1.0) -> int:
        """Send a request whose n-th attempt ends by `outcome(n)`; return the attempt it was."""

        def request(failures: int) -> int:
            self.requests += 1
            self.now += seconds
            error = outcome(failures)
            if error is not None:
                raise error
            return failures

        return self.retry.send(request)


def test_answers_are_not_repeated() -> None:
    """Neither values nor errors by which the store has answered."""
    scene = Scene()
    assert scene.send(lambda _: None) == 0
    with pytest.raises(Missing):
        scene.send(lambda _: Missing())
    assert scene.requests == 2


def test_requests_that_were_lost_are_repeated() -> None:
    """The value of the first attempt that succeeds is returned."""
    assert Scene().send(lambda n: Lost() if n < 3 else None) == 3


def test_silence_is_said_soon() -> None:
    """Nothing is answered for eight seconds."""
    scene = Scene()
    with pytest.raises(Lost):
        scene.send(lambda _: Lost())
    assert 8.0 <= scene.now - 1000.0 < 12.0


def test_silence_is_waited_for_once() -> None:
    """During an outage each further request is sent once, until one is answered."""
    scene = Scene()
    with pytest.raises(Lost):
        scene.send(lambda _: Lost())
    scene.requests = 0
    for _ in range(3):
        with pytest.raises(Lost):
            scene.send(lambda _: Lost())
    assert scene.requests == 3
    scene.send(lambda _: None)
    assert scene.send(lambda n: None if n else Lost()) == 1


def test_a_store_that_answers_others_is_asked_for_longer() -> None:
    """Other requests succeed all the time, so this one may."""
    scene = Scene()

    def outcome(_: int) -> Exception:
        scene.retry.send(lambda _: None)
        return Lost()

    with pytest.raises(Lost):
        scene.send(outcome)
    assert 120.0 <= scene.now - 1000.0 < 132.0


def test_overload_is_waited_out_for_minutes() -> None:
    """Even when no request succeeds meanwhile."""
    scene = Scene()
    with pytest.raises(Overloaded):
        scene.send(lambda _: Overloaded())
    assert 300.0 <= scene.now - 1000.0 < 312.0


def test_a_long_upload_does_not_use_up_the_patience() -> None:
    """An upload that is cut after ten minutes is repeated, as others succeed."""
    scene = Scene()

    def outcome(failures: int) -> Exception | None:
        scene.retry.send(lambda _: None)
        return None if failures else Lost()

    assert scene.send(outcome, seconds=600.0) == 1


def test_pauses_are_a_random_part_of_a_growing_span() -> None:
    """They double up to ten seconds."""
    spans = [PATIENCE.pause(n, lambda: 1.0, longest=100.0) for n in range(1, 10)]
    assert spans[:4] == [0.1, 0.2, 0.4, 0.8]
    assert spans[-1] == 10.0
    assert PATIENCE.pause(1000, lambda: 0.5, longest=100.0) == 5.0
    assert PATIENCE.pause(9, lambda: 1.0, longest=3.0) == 3.0

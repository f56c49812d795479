"""Use of threads in forked processes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable

import pytest

from voxk8s.errors import InvalidUsage
from voxk8s.storage.fork_guard import ForkGuard


def outcome_in_child(call: Callable[[], object]) -> str:
    """Return the message of the error that a call raises in a forked process, or an empty text."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other tests may have threads
        child = os.fork()
    if child == 0:
        message = ""
        try:
            call()
        except InvalidUsage as error:
            message = str(error)
        except BaseException as error:  # noqa: BLE001 - the parent reports it
            message = f"unexpected: {error!r}"
        os.write(writer, message.encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        message = pipe.read().decode()
    assert os.waitpid(child, 0)[1] == 0
    return message


def test_use_in_one_process_is_allowed() -> None:
    """Any number of times."""
    guard = ForkGuard("a thing")
    guard.enter()
    guard.enter()


def test_use_after_a_fork_of_its_user_is_an_error() -> None:
    """The message names what was used and says how to start processes."""
    guard = ForkGuard("a thing")
    guard.enter()
    message = outcome_in_child(guard.enter)
    assert message.startswith("a thing was in use when this process was forked")
    assert "spawn" in message
    guard.enter()


def test_first_use_after_a_fork_is_allowed() -> None:
    """Its threads are started in the child."""
    assert outcome_in_child(ForkGuard("a thing").enter) == ""


def test_a_fork_of_a_fork_has_no_threads_either() -> None:
    """The error stays, although the first child could not use it."""
    guard = ForkGuard("a thing")
    guard.enter()

    def enter_in_grandchild() -> None:
        if message := outcome_in_child(guard.enter):
            raise InvalidUsage(message)

    assert outcome_in_child(enter_in_grandchild).startswith("a thing was in use")


@pytest.mark.parametrize("used", [True, False])
def test_guards_are_independent(used: bool) -> None:
    """The use of one does not forbid another one."""
    other, guard = ForkGuard("other"), ForkGuard("a thing")
    other.enter()
    if used:
        guard.enter()
    assert bool(outcome_in_child(guard.enter)) is used

"""The error tree: reasons, messages, and the way to another process."""

from __future__ import annotations

import inspect
import pickle

import pytest

from voxk8s import constants, errors
from voxk8s.errors import (
    InvalidPlan,
    InvalidProgram,
    PermanentError,
    TransientError,
    Voxk8sError,
)

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, Voxk8sError)
]
BASES = {Voxk8sError, PermanentError, TransientError}
OWN_REASONS = {
    "InvalidPlan": constants.REASON_INVALID_PLAN,
    "InvalidProgram": constants.REASON_INVALID_PROGRAM,
    "InputNotAllowed": constants.REASON_INPUT_NOT_ALLOWED,
    "StoreFull": constants.REASON_STORE_FULL,
    "StoreUnreachable": constants.REASON_STORE_UNREACHABLE,
    "StoreAccessDenied": constants.REASON_STORE_ACCESS_DENIED,
    "ResourcesNotOffered": constants.REASON_RESOURCES_NOT_OFFERED,
    "WorkerLost": constants.REASON_WORKER_LOST,
    "SchedulerLost": constants.REASON_SCHEDULER_LOST,
}


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_cross_processes(kind: type[Voxk8sError]) -> None:
    """A pickled error has its class, its message and its attributes."""
    error = kind("no luck")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (str(copy), copy.args, vars(copy)) == (str(error), error.args, vars(error))


def test_the_path_of_an_invalid_plan_crosses_processes() -> None:
    """The path is kept apart from the message."""
    copy = pickle.loads(pickle.dumps(InvalidPlan("expected a list", "$.nodes[17]")))
    assert (copy.message, copy.path) == ("expected a list", "$.nodes[17]")


def test_the_diagnostics_of_an_invalid_program_cross_processes() -> None:
    """Editors show the single errors."""
    copy = pickle.loads(pickle.dumps(InvalidProgram("a.imgql:1:1: error", ("first", "second"))))
    assert copy.diagnostics == ("first", "second")


@pytest.mark.parametrize("kind", CLASSES)
def test_reasons_are_those_of_the_status(kind: type[Voxk8sError]) -> None:
    """An error without a reason of its own fails its operation."""
    expected = OWN_REASONS.get(kind.__name__, constants.REASON_OPERATION_FAILED)
    assert kind.failure_reason == expected


@pytest.mark.parametrize("kind", [each for each in CLASSES if each not in BASES])
def test_an_error_is_either_permanent_or_transient(kind: type[Voxk8sError]) -> None:
    """Retries depend on it."""
    assert issubclass(kind, PermanentError) != issubclass(kind, TransientError)


def test_an_invalid_plan_says_where() -> None:
    """The path follows the message; without one it is the whole document."""
    assert str(InvalidPlan("expected a list", "$.nodes")) == "expected a list (at $.nodes)"
    assert str(InvalidPlan("expected a mapping")) == "expected a mapping (at $)"


def test_an_invalid_program_says_its_message_only() -> None:
    """The message begins with file, line and column, as editors expect."""
    assert str(InvalidProgram("a.imgql:1:1: error", ("first",))) == "a.imgql:1:1: error"

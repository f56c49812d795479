"""Failures as values, and the one line that users read."""

from __future__ import annotations

import pickle

import msgspec
import pytest

from voxk8s.constants import REASON_OPERATION_FAILED, REASON_STORE_UNREACHABLE, REASON_WORKER_LOST
from voxk8s.errors import (
    InputUnavailable,
    InputUnreachable,
    KernelError,
    KernelVersionMismatch,
    StoreUnreachable,
    Voxk8sError,
    WorkerLost,
)
from voxk8s.failure import CANCELLED, RESULT_GONE, Failure, error_text, failure_of, is_transient
from voxk8s.plan import OperationId

OPERATION = OperationId("0123456789abcdef" * 4)


def test_one_line_says_where_what_and_why() -> None:
    """Place, kernel, operation, attempts, class of the error, message and calls, in this order."""
    failure = failure_of(
        ValueError("the mask is empty"), kernel="vox1.near", operation=OPERATION, attempts=3
    )
    placed = msgspec.structs.replace(failure, place="a.imgql:2:5", calls=" (in f)")
    assert placed.headline == "a.imgql:2:5: vox1.near (0123456789ab) failed after 3 attempts"
    assert placed.cause == "ValueError: the mask is empty (in f)"
    assert str(placed) == f"{placed.headline}: {placed.cause}"


def test_what_is_not_known_is_left_out() -> None:
    """A failure of no kernel is its message; one attempt is not counted."""
    assert str(Failure("not reached")) == "not reached"
    assert str(Failure("no", place="a.imgql:2:5")) == "a.imgql:2:5: no"
    assert str(Failure("no", kernel="vox1.near")) == "vox1.near failed: no"
    assert str(Failure("no", kernel="k", operation=OPERATION)) == "k (0123456789ab) failed: no"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StoreUnreachable("x"), REASON_STORE_UNREACHABLE),
        (WorkerLost("x"), REASON_WORKER_LOST),
        (KernelError("x"), REASON_OPERATION_FAILED),
        (ValueError("x"), REASON_OPERATION_FAILED),
    ],
)
def test_reasons_come_from_the_error_class(error: Exception, reason: str) -> None:
    """Programs compare reasons; the class name of an exception is for people."""
    failure = failure_of(error)
    assert (failure.reason, failure.error) == (reason, type(error).__name__)


def test_a_subclass_has_the_reason_of_its_base() -> None:
    """An error class without a reason of its own fails as its base does."""

    class Slow(StoreUnreachable):
        pass

    assert failure_of(Slow("x")).reason == REASON_STORE_UNREACHABLE
    assert failure_of(Voxk8sError("x")).reason == REASON_OPERATION_FAILED


@pytest.mark.parametrize(
    ("reason", "expected"), [(RESULT_GONE, True), (CANCELLED, True), ("", False)]
)
def test_recomputing_mends_what_is_gone_or_cancelled(reason: str, expected: bool) -> None:
    """The operation itself is sound when its result has vanished or another run gave it up."""
    assert Failure("x", reason).is_recomputable is expected


def test_a_failure_crosses_processes() -> None:
    """It travels inside of Dask's values as a pickle, and in reports as MessagePack."""
    failure = failure_of(ValueError("no"), kernel="vox1.near", attempts=2)
    assert pickle.loads(pickle.dumps(failure)) == failure
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(failure), type=Failure) == failure


def test_a_missing_module_is_told_with_the_way_out() -> None:
    """It is missing where the operation runs, which may be another machine."""
    found = failure_of(ModuleNotFoundError("No module named 'SimpleITK'", name="SimpleITK"))
    assert found.cause == (
        "ModuleNotFoundError: No module named 'SimpleITK':"
        " voxk8s is installed without its extra `engine` where operations run"
    )


def test_an_exception_without_a_message_has_its_class_name() -> None:
    """Every exception has some text."""
    assert error_text(KeyError()) == "KeyError: KeyError"
    assert error_text(OSError("a\udcff.nii")) == "OSError: a\\udcff.nii"


@pytest.mark.parametrize(
    "error",
    [
        StoreUnreachable("x"),
        InputUnreachable("x"),
        MemoryError(),
        ConnectionResetError(),
        TimeoutError(),
    ],
)
def test_transport_is_transient(error: Exception) -> None:
    """Stores, inputs, the network and memory may do better next time."""
    assert is_transient(error)


@pytest.mark.parametrize(
    "error", [ValueError("x"), KernelError("x"), ZeroDivisionError(), OSError()]
)
def test_a_kernels_own_error_is_final(error: Exception) -> None:
    """Any other exception of a kernel would come again."""
    assert not is_transient(error)


@pytest.mark.parametrize(
    ("error", "tells"),
    [
        (ValueError("empty"), True),
        (KernelError("empty"), True),
        (MemoryError(), False),
        (WorkerLost("gone"), False),
        (FileNotFoundError("gone"), False),
        (InputUnavailable("gone"), False),
        (KernelVersionMismatch("other"), False),
        (ModuleNotFoundError("torch"), False),
    ],
)
def test_only_some_failures_tell_that_an_operation_has_no_value(
    error: BaseException, tells: bool
) -> None:
    """On another machine, or at another time, the others may not happen."""
    assert failure_of(error).is_of_value is tells

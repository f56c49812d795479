"""A failure as one value, from the kernel in a worker to the terminal, the status and the report.

What users read of a failure is rendered here and nowhere else.
"""

from __future__ import annotations

from typing import Final

import msgspec

from voxk8s.constants import REASON_OPERATION_FAILED
from voxk8s.errors import (
    InputUnavailable,
    KernelVersionMismatch,
    PermanentError,
    TransientError,
    Voxk8sError,
)
from voxk8s.plan import OperationId
from voxk8s.redact import redact

RESULT_GONE: Final = "ResultGone"
"""Reason: a result that the store held is not there any more, or its bytes are corrupt."""
CANCELLED: Final = "Cancelled"
"""Reason: the run was cancelled before the operation ended."""
NOT_REACHED: Final = "NotReached"
"""Reason: the run ended before the goal was computed."""
NO_OPERATION: Final = OperationId("")
_TRANSIENT = (TransientError, MemoryError, ConnectionError, TimeoutError)
"""Our own transient errors, and errors of what surrounds a kernel: a retry may succeed."""
_SURROUNDINGS = (ImportError, OSError, InputUnavailable, KernelVersionMismatch)
"""Permanent errors of what surrounds a kernel: elsewhere its value may be another one."""
_ENGINE_MODULES = frozenset({"SimpleITK", "PIL", "aiohttp", "dask", "distributed"})
"""Modules that our own kernels and formats import when they run."""
_MESSAGE_LENGTH = 4000
"""Longer messages are cut in the middle: they go to drivers, statuses and logs."""


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """Why an operation, an input or a goal has no result.

    `reason` is a constant for programs to compare (the `failure_reason` of an error class, or one
    of this module). `error` is the class name of the exception, for display only. `transient` says
    whether a retry may succeed. `kernel` is empty where no kernel is to blame. `place` is the
    operation's `file:line:column` in the program, and `calls` the calls that led there; both are
    empty where they are not known. `of_surroundings` says that a file, an input or the installed
    packages are the cause, as far as the class of the exception tells.
    """

    message: str
    reason: str = REASON_OPERATION_FAILED
    error: str = ""
    transient: bool = False
    attempts: int = 1
    kernel: str = ""
    operation: OperationId = NO_OPERATION
    place: str = ""
    calls: str = ""
    of_surroundings: bool = False

    @property
    def cause(self) -> str:
        """The exception in one line: `ValueError: the mask is empty (in f, called at …)`."""
        error = self.error and f"{self.error}: "
        return f"{error}{self.message}{self.calls}"

    @property
    def headline(self) -> str:
        """What failed, and where: `a.imgql:2:5: vox1.near (0123456789ab) failed`."""
        what = self.kernel
        if what:
            name = f" ({self.operation[:12]})" if self.operation else ""
            attempts = f" after {self.attempts} attempts" if self.attempts > 1 else ""
            what = f"{what}{name} failed{attempts}"
        return ": ".join(filter(None, (self.place, what)))

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.headline, self.cause)))

    @property
    def is_recomputable(self) -> bool:
        """Whether the operation itself is sound and only has to be computed once more."""
        return self.reason in (RESULT_GONE, CANCELLED)

    @property
    def is_of_kernel(self) -> bool:
        """Whether the kernel itself has failed for good: not a store, a worker or an input."""
        return self.reason == REASON_OPERATION_FAILED and not self.transient

    @property
    def is_of_value(self) -> bool:
        """Whether the operation has no value, by its kernel and its arguments alone."""
        return self.is_of_kernel and not self.of_surroundings


def failure_of(
    error: BaseException,
    *,
    kernel: str = "",
    operation: OperationId = NO_OPERATION,
    attempts: int = 1,
) -> Failure:
    """Return the failure that an exception stands for."""
    return Failure(
        message_of(error),
        error.failure_reason if isinstance(error, Voxk8sError) else REASON_OPERATION_FAILED,
        type(error).__name__,
        is_transient(error),
        attempts,
        kernel,
        operation,
        of_surroundings=isinstance(error, _SURROUNDINGS),
    )


def is_transient(error: BaseException) -> bool:
    """Whether a retry may succeed; foreign exceptions are a kernel's own and permanent."""
    if isinstance(error, PermanentError):
        return False
    return isinstance(error, _TRANSIENT)


def error_text(error: BaseException) -> str:
    """Return an exception as one text: `ValueError: the mask is empty`."""
    return failure_of(error).cause


def message_of(error: BaseException) -> str:
    """Return the message of an exception, bounded in length and encodable as UTF-8.

    File names may contain bytes that are not valid text, and the `__str__` of a foreign exception
    may raise. An exception without a message has its class name.
    """
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  # only the exception itself matters
        text = ""
    text = redact(text.strip()) or type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name in _ENGINE_MODULES:
        text += ": voxk8s is installed without its extra `engine` where operations run"
    if len(text) > _MESSAGE_LENGTH:
        half = _MESSAGE_LENGTH // 2
        text = f"{text[:half]} … {text[-half:]}"
    return text.encode("utf-8", "backslashreplace").decode()

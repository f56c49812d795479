"""The error tree: permanent errors are final, transient errors are worth another try.

Third-party exceptions are converted into this tree at the edge where they appear, with the
original as cause. A message says what was wrong, where, and what to do. Every class pickles, so an
error crosses process borders whole.
"""

from __future__ import annotations

from typing import ClassVar

from voxk8s import constants


class Voxk8sError(Exception):
    """Base of every error that voxk8s raises on purpose.

    `failure_reason` is what a failure by this error has as its reason, and the status of a WorkPlan
    that ends by it.
    """

    failure_reason: ClassVar[str] = constants.REASON_OPERATION_FAILED


class PermanentError(Voxk8sError):
    """Trying again with the same input gives the same error."""


class TransientError(Voxk8sError):
    """Trying again later may succeed."""


class InvalidPlan(PermanentError):
    """A plan document or a plan is wrong.

    `path` is the place in the document, as in `$.nodes[17].arguments.0`; `$` is the whole.
    """

    failure_reason = constants.REASON_INVALID_PLAN

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message, path)
        self.message = message
        self.path = path

    def __str__(self) -> str:
        return f"{self.message} (at {self.path})"


class InvalidProgram(PermanentError):
    """An ImgQL program is wrong; the message has file, line and column.

    `diagnostics` are the findings one by one (`voxk8s.imgql.Diagnostic`).
    """

    failure_reason = constants.REASON_INVALID_PROGRAM

    def __init__(self, message: str, diagnostics: tuple[object, ...] = ()) -> None:
        super().__init__(message, diagnostics)
        self.message = message
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return self.message


class InvalidUsage(PermanentError):
    """A call, a setting or a command line is wrong."""


class KernelError(PermanentError):
    """An operation failed for good: its arguments are not what the kernel can work on."""


class UnsupportedValue(PermanentError):
    """A value that the store cannot hold: not JSON-like, not a plain array, not an image."""


class InputUnavailable(PermanentError):
    """An input cannot be read: missing, unreadable or refused. The message has its URL."""


class InputNotAllowed(PermanentError):
    """An input's URL may not be read from here."""

    failure_reason = constants.REASON_INPUT_NOT_ALLOWED


class InputUnreachable(TransientError):
    """The place that holds an input does not answer right now."""


class StoreError(TransientError):
    """The result store did not do what it was asked to; asking again may help."""


class StoreUnreachable(StoreError):
    """The result store does not answer."""

    failure_reason = constants.REASON_STORE_UNREACHABLE


class StoreAccessDenied(StoreError):
    """The result store refuses the credentials, or these credentials may not do this.

    Transient, since credentials and policies are mended while work waits.
    """

    failure_reason = constants.REASON_STORE_ACCESS_DENIED


class CorruptBlob(StoreError):
    """Stored bytes are not what their name promises; they are never handed out."""


class BlobMissing(StoreError):
    """A blob that was asked for by its digest is not in the store."""


class WorkerLost(TransientError):
    """The process that computed an operation is gone."""

    failure_reason = constants.REASON_WORKER_LOST


class SchedulerLost(TransientError):
    """The Dask scheduler is gone; what was stored is kept, the run can be started again."""

    failure_reason = constants.REASON_SCHEDULER_LOST

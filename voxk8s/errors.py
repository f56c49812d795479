"""The error tree: permanent errors are final, transient errors are retried.

Third-party exceptions are converted into this tree where they first appear, with the original as
cause. A message says what was expected, what was found, where, and what to do. Every class can be
pickled.
"""

from __future__ import annotations

from typing import ClassVar

from voxk8s import constants
from voxk8s.redact import redact


class Voxk8sError(Exception):
    """Base class of all errors that voxk8s raises.

    `failure_reason` is what a failure by this error has as its reason, and the status of a WorkPlan
    that ends by it.
    """

    failure_reason: ClassVar[str] = constants.REASON_OPERATION_FAILED

    def __str__(self) -> str:
        """Return the message without credentials of URLs: it goes to logs, statuses and reports."""
        return redact(super().__str__())


class PermanentError(Voxk8sError):
    """An error that a retry with the same input raises again."""


class TransientError(Voxk8sError):
    """An error that a retry may not raise again."""


class InvalidPlan(PermanentError):
    """A plan document or a plan is invalid.

    `path` is the path in the document, as in `$.nodes[17].arguments.0`; `$` is the whole document.
    """

    failure_reason = constants.REASON_INVALID_PLAN

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message, path)
        self.message = redact(message)
        self.path = path

    def __str__(self) -> str:
        return f"{self.message} (at {self.path})"


class InvalidProgram(PermanentError):
    """An ImgQL program is invalid; the message has file, line and column.

    `diagnostics` are the single errors (`voxk8s.imgql.Diagnostic`).
    """

    failure_reason = constants.REASON_INVALID_PROGRAM

    def __init__(self, message: str, diagnostics: tuple[object, ...] = ()) -> None:
        super().__init__(message, diagnostics)
        self.message = redact(message)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return self.message


class InvalidUsage(PermanentError):
    """A call, a setting or a command line is invalid."""


class KernelError(PermanentError):
    """An operation failed: the kernel does not accept its arguments."""


class KernelVersionMismatch(PermanentError):
    """A process has another version of a kernel than the one that a result's key was made from."""


class UnsupportedValue(PermanentError):
    """An object that cannot be stored: not JSON-like, not a plain array, not an image."""


class ResourcesNotOffered(PermanentError):
    """An operation needs a resource, such as a GPU, that no worker offers."""

    failure_reason = constants.REASON_RESOURCES_NOT_OFFERED


class InputUnavailable(PermanentError):
    """An input cannot be read: missing, invalid or access denied. The message has its URL."""


class InputNotAllowed(PermanentError):
    """The configuration does not allow to read an input's URL."""

    failure_reason = constants.REASON_INPUT_NOT_ALLOWED


class InputUnreachable(TransientError):
    """The server of an input does not answer."""


class StoreError(TransientError):
    """A request to the result store failed; a retry may succeed."""


class StoreUnreachable(StoreError):
    """The result store does not answer."""

    failure_reason = constants.REASON_STORE_UNREACHABLE


class StoreFull(StoreError):
    """The result store has no space left, or not for this trust domain; what it has can be read."""

    failure_reason = constants.REASON_STORE_FULL


class StoreAccessDenied(StoreError):
    """The result store rejects the credentials, or does not allow them the request.

    Transient, since credentials and policies may be corrected while work waits.
    """

    failure_reason = constants.REASON_STORE_ACCESS_DENIED


class CorruptBlob(StoreError):
    """Stored bytes do not match their digest or format; they are never returned."""


class BlobMissing(StoreError):
    """A blob is not in the store."""


class WorkerLost(TransientError):
    """The worker that computed an operation is gone."""

    failure_reason = constants.REASON_WORKER_LOST


class SchedulerLost(TransientError):
    """The Dask scheduler is gone; stored results are kept, and the run can be restarted."""

    failure_reason = constants.REASON_SCHEDULER_LOST

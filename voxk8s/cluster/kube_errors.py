"""Errors of the Kubernetes client, grouped by whether a later attempt may succeed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voxk8s.errors import PermanentError, TransientError


class ApiError(Exception):
    """What the API server answered: HTTP status (0: no answer), reason and message.

    `retry_after` are the seconds after which it asks to try again, 0 if it does not say.
    """

    retry_after: float = 0.0

    def __init__(self, message: str, status: int = 0, reason: str = "") -> None:
        super().__init__(message, status, reason)
        self.message = message
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return self.message


class NotFound(ApiError, PermanentError):
    """The object does not exist."""


class AlreadyExists(ApiError, PermanentError):
    """An object of this name exists already."""


class Invalid(ApiError, PermanentError):
    """The API server rejects the object as malformed or invalid."""


class TooLarge(ApiError, PermanentError):
    """The object exceeds the size limit of the API server or of etcd."""


class KindMissing(ApiError, TransientError):
    """The API server does not serve the kind: its CRD is not installed (yet)."""


class Forbidden(ApiError, TransientError):
    """RBAC, an admission policy or a quota rejects the request; each of them may change."""


class Conflict(ApiError, TransientError):
    """The object was changed in the meantime, or another field manager owns the field."""


class Expired(ApiError, TransientError):
    """The resource version is too old, or newer than any that the server has: list again."""


class Overloaded(ApiError, TransientError):
    """The API server has too many requests."""


class Fenced(ApiError, TransientError):
    """The request was not sent: this process no longer has the right to write."""


class KubeUnreachable(ApiError, TransientError):
    """The API server does not answer, or answers with a server error."""


class KubeConfigMissing(ApiError, PermanentError):
    """No cluster is configured: no kubeconfig was found and the process does not run in a pod."""


def error_from_status(
    code: int, status: Mapping[str, Any], path: str, retry_after: str | None = None
) -> ApiError:
    """Return the error for an HTTP status and the Status object of the response."""
    error = _error(code, status, path)
    if retry_after and retry_after.isdigit():
        error.retry_after = float(retry_after)
    return error


def _error(code: int, status: Mapping[str, Any], path: str) -> ApiError:
    reason = str(status.get("reason") or "")
    message = str(status.get("message") or reason or f"HTTP {code} for {path}").strip()
    match code, reason:
        case 404, "":  # unknown paths are answered in plain text
            return KindMissing(f"the API server does not serve {path}", code, reason)
        case 404, _ if not (status.get("details") or {}).get("name"):
            return KindMissing(f"the API server does not serve {path}", code, reason)
        case 404, _:
            return NotFound(message, code, reason)
        case 409, "AlreadyExists":
            return AlreadyExists(message, code, reason)
        case 409, _:
            return Conflict(message, code, reason)
        case 410, _:
            return Expired(message, code, reason)
        case 401, _:
            hint = "are they expired or revoked? Log in again, or get another kubeconfig"
            text = f"the API server does not accept these credentials ({message}): {hint}"
            return Forbidden(text, code, reason)
        case 403, _:
            return Forbidden(message, code, reason)
        case 413, _:
            return TooLarge(message, code, reason)
        case 429, _:
            return Overloaded(message, code, reason)
        # After etcd was restored from a backup, clients know versions that do not exist yet.
        case 504, _ if "Too large resource version" in message:
            return Expired(message, code, reason)
        case 500, _ if "failed to create typed patch object" in message:
            # What is applied does not fit the schema, such as a list entry without its key.
            return Invalid(message, code, reason)
        case 500, _ if "etcdserver: request is too large" in message:
            return TooLarge(message, code, reason)
        case ((400 | 405 | 406 | 415 | 422), _):
            return Invalid(message, code, reason)
        case _:
            return KubeUnreachable(f"HTTP {code} for {path}: {message}", code, reason)

"""Errors of the Kubernetes client, grouped by whether a later attempt may succeed."""

from __future__ import annotations

from voxk8s.errors import PermanentError, TransientError


class _ApiError(Exception):
    """What the API server answered: HTTP status (0: no answer), reason and message."""

    def __init__(self, message: str, status: int = 0, reason: str = "") -> None:
        super().__init__(message, status, reason)
        self.message = message
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return self.message


class NotFound(_ApiError, PermanentError):
    """The object does not exist."""


class AlreadyExists(_ApiError, PermanentError):
    """An object of this name exists already."""


class Invalid(_ApiError, PermanentError):
    """The API server rejects the object as malformed or invalid."""


class TooLarge(_ApiError, PermanentError):
    """The object exceeds the size limit of the API server or of etcd."""


class KindMissing(_ApiError, TransientError):
    """The API server does not serve the kind: its CRD is not installed (yet)."""


class Forbidden(_ApiError, TransientError):
    """RBAC, an admission policy or a quota rejects the request; each of them may change."""


class Conflict(_ApiError, TransientError):
    """The object was changed in the meantime, or another field manager owns the field."""


class Expired(_ApiError, TransientError):
    """The resource version is too old: list again."""


class Overloaded(_ApiError, TransientError):
    """The API server asks to retry after `retry_after` seconds."""

    retry_after: float = 1.0


class KubeUnreachable(_ApiError, TransientError):
    """The API server does not answer, or answers with a server error."""


class KubeConfigMissing(_ApiError, PermanentError):
    """No cluster is configured: no kubeconfig was found and the process does not run in a pod."""

"""What can go wrong at the door to Kubernetes, by what to do about it."""

from __future__ import annotations

from voxk8s.errors import PermanentError, TransientError


class _Answer(Exception):
    """What the API server said: HTTP status (0: no answer), reason and message."""

    def __init__(self, message: str, status: int = 0, reason: str = "") -> None:
        super().__init__(message, status, reason)
        self.message = message
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return self.message


class NotFound(_Answer, PermanentError):
    """The object is not there."""


class AlreadyExists(_Answer, PermanentError):
    """An object of this name is there already."""


class Invalid(_Answer, PermanentError):
    """The API server refuses the object as it stands."""


class TooLarge(_Answer, PermanentError):
    """The object is larger than the API server or etcd takes."""


class KindMissing(_Answer, TransientError):
    """The API server does not know the kind: its CRD is not installed (yet)."""


class Forbidden(_Answer, TransientError):
    """Access rules, an admission policy or a quota refuse the request; they may change."""


class Conflict(_Answer, TransientError):
    """Somebody else changed the object first, or owns the field."""


class Expired(_Answer, TransientError):
    """The resource version is too old: list again."""


class Overloaded(_Answer, TransientError):
    """The API server asks to come back later; `retry_after` in seconds."""

    retry_after: float = 1.0


class KubeUnreachable(_Answer, TransientError):
    """The API server does not answer, or fails."""


class KubeConfigMissing(_Answer, PermanentError):
    """There is no way to a cluster: no kubeconfig, and this is no pod."""


KubeError = (
    NotFound
    | AlreadyExists
    | Invalid
    | TooLarge
    | KindMissing
    | Forbidden
    | Conflict
    | Expired
    | Overloaded
    | KubeUnreachable
    | KubeConfigMissing
)
"""Every error of the door."""

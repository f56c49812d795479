"""Errors of the Kubernetes client."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from voxk8s.cluster.kube_errors import (
    AlreadyExists,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    KindMissing,
    KubeUnreachable,
    NotFound,
    Overloaded,
    TooLarge,
    error_from_status,
)
from voxk8s.errors import PermanentError, TransientError

NAMED = {"details": {"name": "x"}}


@pytest.mark.parametrize(
    ("code", "status", "kind", "base"),
    [
        (404, {"reason": "NotFound", **NAMED}, NotFound, PermanentError),
        (404, {"message": "404 page not found"}, KindMissing, TransientError),
        (404, {"reason": "NotFound", "details": {}}, KindMissing, TransientError),
        (409, {"reason": "AlreadyExists"}, AlreadyExists, PermanentError),
        (409, {"reason": "Conflict"}, Conflict, TransientError),
        (410, {"reason": "Expired"}, Expired, TransientError),
        (401, {"reason": "Unauthorized"}, Forbidden, TransientError),
        (403, {"reason": "Forbidden"}, Forbidden, TransientError),
        (413, {"reason": "RequestEntityTooLarge"}, TooLarge, PermanentError),
        (422, {"reason": "Invalid"}, Invalid, PermanentError),
        (400, {"reason": "BadRequest"}, Invalid, PermanentError),
        (429, {"reason": "TooManyRequests"}, Overloaded, TransientError),
        (500, {"message": "etcdserver: request is too large"}, TooLarge, PermanentError),
        (500, {"message": "failed to create typed patch object"}, Invalid, PermanentError),
        (500, {"reason": "InternalError"}, KubeUnreachable, TransientError),
        (503, {}, KubeUnreachable, TransientError),
    ],
)
def test_responses_become_errors(
    code: int, status: dict[str, Any], kind: type, base: type[Exception]
) -> None:
    """The class of the error says whether a retry may help; errors can be pickled."""
    error = error_from_status(code, status, "/api/v1/things")
    assert type(error) is kind
    assert isinstance(error, base)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.args) == (type(error), error.args)


def test_refused_credentials_are_told_as_such() -> None:
    """The API server says no more than `Unauthorized`, from which nobody sees what to do."""
    error = error_from_status(401, {"reason": "Unauthorized", "message": "Unauthorized"}, "/")
    assert "does not accept these credentials" in str(error)
    assert "Log in again" in str(error)


def test_retry_after_is_kept() -> None:
    """The Retry-After header of an overloaded API server is kept, in seconds."""
    error = error_from_status(429, {}, "/", "7")
    assert isinstance(error, Overloaded)
    assert error.retry_after == 7

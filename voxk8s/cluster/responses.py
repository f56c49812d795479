"""What the API server answers: bodies, streams of lines, and its errors as errors of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

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
)


def error_from_status(
    code: int, status: Mapping[str, Any], path: str, retry_after: str | None = None
) -> Exception:
    """Turn what the API server answered into an error of our own."""
    reason = str(status.get("reason") or "")
    message = str(status.get("message") or reason or f"HTTP {code} for {path}").strip()
    match code, reason:
        case 404, "":  # a path that nobody serves is answered in plain text
            return KindMissing(f"The API server does not know {path}", code, reason)
        case 404, _ if not (status.get("details") or {}).get("name"):
            return KindMissing(f"The API server does not know {path}", code, reason)
        case 404, _:
            return NotFound(message, code, reason)
        case 409, "AlreadyExists":
            return AlreadyExists(message, code, reason)
        case 409, _:
            return Conflict(message, code, reason)
        case 410, _:
            return Expired(message, code, reason)
        case ((401 | 403), _):
            return Forbidden(message, code, reason)
        case 413, _:
            return TooLarge(message, code, reason)
        case 429, _:
            error = Overloaded(message, code, reason)
            if retry_after and retry_after.isdigit():
                error.retry_after = float(retry_after)
            return error
        case 500, _ if "etcdserver: request is too large" in message:
            return TooLarge(message, code, reason)
        case ((400 | 405 | 406 | 415 | 422), _):
            return Invalid(message, code, reason)
        case _:
            return KubeUnreachable(f"HTTP {code} for {path}: {message}", code, reason)


def error_text(error: Exception) -> str:
    """Give an error in words."""
    return str(error) or type(error).__name__  # a time-out has no words of its own


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """Read a whole body; raises KubeUnreachable if it breaks off."""
    try:
        return await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise KubeUnreachable(f"The API server broke off: {error}") from error


async def iter_lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Split a stream into lines of any length (a WorkPlan may have more than a megabyte)."""
    rest = bytearray()
    async for chunk in response.content.iter_any():
        rest += chunk
        if b"\n" not in chunk:
            continue
        *lines, tail = bytes(rest).split(b"\n")
        rest = bytearray(tail)
        for line in lines:
            if line:
                yield line
    if rest:
        yield bytes(rest)

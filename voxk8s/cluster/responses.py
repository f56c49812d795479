"""Responses of the API server: bodies, streams of lines, and errors of `kube_errors`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import msgspec

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
    """Return the error for an HTTP status and the Status object of the response."""
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


async def read_error(response: aiohttp.ClientResponse, path: str) -> Exception:
    """Return the error that an unsuccessful response describes."""
    text = await response.read()
    try:
        status = msgspec.json.decode(text)
    except msgspec.DecodeError:
        status = None
    if not isinstance(status, dict):
        status = {"message": text.decode(errors="replace")}
    return error_from_status(response.status, status, path, response.headers.get("Retry-After"))


def error_text(error: Exception) -> str:
    """Return the message of an error, or its class if it has none (as TimeoutError)."""
    return str(error) or type(error).__name__


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole body; raises KubeUnreachable if the connection is lost."""
    try:
        return await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise KubeUnreachable(
            f"the connection to the API server was lost: {error_text(error)}"
        ) from error


async def iter_lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the lines of a stream, of any length: a WorkPlan may have more than a megabyte."""
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

"""Reads responses of the API server: bodies, streams of lines, errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

import aiohttp
import msgspec

from voxk8s.cluster.kube_errors import ApiError, KubeUnreachable, error_from_status
from voxk8s.failure import message_of

_Content = TypeVar("_Content")


async def read_error(response: aiohttp.ClientResponse, path: str) -> ApiError:
    """Return the error that an unsuccessful response describes."""
    text = await response.read()
    try:
        status = msgspec.json.decode(text)
    except msgspec.DecodeError:
        status = None
    if not isinstance(status, dict):
        status = {"message": text.decode(errors="replace")}
    return error_from_status(response.status, status, path, response.headers.get("Retry-After"))


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole body; raises KubeUnreachable if the connection is lost."""
    try:
        return await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise KubeUnreachable(
            f"the connection to the API server was lost: {message_of(error)}"
        ) from error


def parse_body(data: bytes, kind: type[_Content]) -> _Content:
    """Return the content of a body of JSON; raises KubeUnreachable if it is something else.

    Proxies and portals answer with pages of their own, also with the status 200.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        found = " ".join(data[:80].decode("utf-8", "replace").split())
        raise KubeUnreachable(
            f"expected an object from the API server, found {found!r}: is there a proxy or a login"
            " page between, or is the server of the kubeconfig another one?"
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

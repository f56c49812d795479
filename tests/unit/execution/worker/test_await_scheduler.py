"""A worker that starts before its scheduler connects as soon as that listens."""

from __future__ import annotations

import asyncio
import socket
import ssl
from types import SimpleNamespace
from typing import Any

import pytest

from voxk8s.execution.worker.await_scheduler import dask_setup


def _worker(port: int, context: ssl.SSLContext | None = None) -> Any:
    scheme = "tls" if context else "tcp"
    return SimpleNamespace(
        scheduler=SimpleNamespace(address=f"{scheme}://127.0.0.1:{port}"),
        connection_args={"ssl_context": context},
    )


async def test_refused_connections_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    """The wait goes on while connections are refused, and ends when the scheduler listens."""
    servers: list[asyncio.Server] = []
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            servers.append(await asyncio.start_server(_answer, "127.0.0.1", unused_port))

    monkeypatch.setattr(asyncio, "sleep", pause)
    await asyncio.wait_for(dask_setup(_worker(unused_port)), 30)
    assert len(pauses) == 3
    servers[0].close()


async def test_what_is_no_refusal_is_left_to_dask() -> None:
    """A server that speaks no TLS does not keep a worker waiting: Dask says what is wrong."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.wait_for(dask_setup(_worker(port, ssl.create_default_context())), 30)
    server.close()


async def test_connections_that_are_broken_off_are_left_to_dask() -> None:
    """A server listens that ends them at once: waiting in silence would not help."""
    server = await asyncio.start_server(_break_off, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.wait_for(dask_setup(_worker(port, ssl.create_default_context())), 5)
    server.close()


async def _break_off(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.fixture
def unused_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""Connection to a scheduler that does not listen yet, or is no scheduler."""

from __future__ import annotations

import asyncio
import socket

import pytest

from voxk8s.errors import SchedulerLost
from voxk8s.runner import scheduler_connection


async def test_waiting_ends_when_the_port_is_open(unused_port: int) -> None:
    """The wait ends as soon as the port is open."""
    address = f"tcp://127.0.0.1:{unused_port}"
    waiting = asyncio.create_task(scheduler_connection.wait_until_listening(address))
    await asyncio.sleep(0)
    assert not waiting.done()
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", unused_port)
    await asyncio.wait_for(waiting, 5)
    server.close()


async def test_other_protocols_are_a_lost_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with another protocol raises SchedulerLost, so that the runner tries again."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(scheduler_connection, "_CONNECT_TIMEOUT", 0.5)
    with pytest.raises(SchedulerLost, match=str(port)):
        await asyncio.to_thread(scheduler_connection.connect, f"tcp://127.0.0.1:{port}")
    server.close()


@pytest.fixture
def unused_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

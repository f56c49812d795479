"""A proxy in front of a real S3 server that fails, cuts, delays and slows down as a test says."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.s3 import S3Server
from voxk8s.storage import ResultStore, StoreOptions, open_store

_PIECE = 16 * 1024
_EXPECT = re.compile(rb"(?i)expect: *100-continue\r\n")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request instead of its answer.

    `status` and `code` are an error of S3; without a status the connection is cut. With `after`
    the server has done its work before, and with `half` also sent half of its answer. `delay` is in
    seconds; with `passes` nothing else happens.
    """

    status: int = 0
    code: str = ""
    after: bool = False
    half: bool = False
    delay: float = 0.0
    passes: bool = False


@dataclass(slots=True)
class S3Proxy:
    """A proxy that runs."""

    server: S3Server
    fault: Callable[[str, str], Fault | None]
    """Given method and target of a request; None lets it pass. Called by one thread."""
    bandwidth: float | None
    """Bytes a second in each direction, over all connections."""
    port: int = 0
    sent: int = 0
    """Bytes of bodies that were sent to clients."""
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[int] = field(default_factory=Counter)
    """How often each status was given; 0 for connections that were cut."""
    _free: dict[str, float] = field(default_factory=dict)

    @property
    def options(self) -> StoreOptions:
        """What opens a store through the proxy."""
        return StoreOptions(
            endpoint=f"http://127.0.0.1:{self.port}",
            region="us-east-1",
            key=self.server.key,
            secret=self.server.secret,
        )

    def store(self, prefix: str | None = None) -> ResultStore:
        """Open a store with a prefix of its own, or with the given one."""
        return open_store(self.server.url(prefix), options=self.options)

    def count(self, method: str, part: str = "") -> int:
        """How many requests of a method had a target that contains `part`."""
        return sum(n for (m, path), n in self.asked.items() if m == method and part in path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client."""
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        host = urlsplit(self.server.endpoint)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if _EXPECT.search(head):
                    head = _EXPECT.sub(b"", head)
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                method, target = head.split(b" ", 2)[:2]
                self.asked[method.decode(), target.decode()] += 1
                fault = self.fault(method.decode(), target.decode())
                if fault is not None and fault.delay:
                    await asyncio.sleep(fault.delay)
                if fault is not None and fault.passes:
                    fault = None
                if fault is not None and not fault.after and not fault.half:
                    self.faults[fault.status] += 1
                    if not fault.status:
                        return
                    await self._copy(reader, None, _length(head) or 0, "up")
                    await self._refuse(writer, method, fault)
                    continue
                if upstream is None:
                    upstream = await asyncio.open_connection(host.hostname, host.port)
                upstream[1].write(head)
                await self._copy(reader, upstream[1], _length(head) or 0, "up")
                answer = await upstream[0].readuntil(b"\r\n\r\n")
                if fault is None:
                    writer.write(answer)
                    await self._body(method, answer, upstream[0], writer)
                    continue
                if fault.half:
                    writer.write(answer)
                    await self._copy(upstream[0], writer, (_length(answer) or 0) // 2, "down")
                    self.faults[0] += 1
                    writer.close()
                    return
                await self._body(method, answer, upstream[0], None)
                self.faults[fault.status] += 1
                if not fault.status:
                    return
                await self._refuse(writer, method, fault)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            return
        finally:
            for each in (writer, *((upstream[1],) if upstream else ())):
                if not each.is_closing():  # what is to be sent before an end is sent
                    each.transport.abort()

    async def _refuse(self, writer: asyncio.StreamWriter, method: bytes, fault: Fault) -> None:
        body = f"<Error><Code>{fault.code}</Code><Message>scripted</Message></Error>".encode()
        head = f"HTTP/1.1 {fault.status} Scripted\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + (b"" if method == b"HEAD" else body))
        await writer.drain()

    async def _body(
        self,
        method: bytes,
        answer: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter | None,
    ) -> None:
        status = int(answer.split(b" ", 2)[1])
        if method != b"HEAD" and status not in (204, 304):
            length = _length(answer)
            if length is not None:
                await self._copy(reader, writer, length, "down")
            else:
                await self._chunks(reader, writer)
        if writer is not None:
            await writer.drain()

    async def _chunks(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None
    ) -> None:
        size = -1
        while size:
            line = await reader.readuntil(b"\r\n")
            size = int(line, 16)
            data = line + await reader.readexactly(size + 2)
            if writer is not None:
                writer.write(data)

    async def _copy(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter | None,
        length: int,
        way: str,
    ) -> None:
        while length:
            data = await reader.read(min(length, _PIECE))
            if not data:
                raise asyncio.IncompleteReadError(b"", length)
            length -= len(data)
            self.sent += len(data) if way == "down" else 0
            if self.bandwidth is not None:
                now = asyncio.get_running_loop().time()
                self._free[way] = max(now, self._free.get(way, 0.0)) + len(data) / self.bandwidth
                await asyncio.sleep(self._free[way] - now)
            if writer is not None:
                writer.write(data)
                await writer.drain()


def _length(head: bytes) -> int | None:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return None


@contextmanager
def proxied(
    server: S3Server,
    fault: Callable[[str, str], Fault | None] = lambda *_: None,
    *,
    bandwidth: float | None = None,
) -> Iterator[S3Proxy]:
    """Run a proxy in front of a server until the block ends."""
    proxy = S3Proxy(server, fault, bandwidth)
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop = asyncio.Event()

    async def run() -> None:
        # A small buffer, so that a slow line is felt by who sends.
        listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=1 << 17)
        proxy.port = listener.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        listener.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    started.wait()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()

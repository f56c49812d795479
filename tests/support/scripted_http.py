"""An HTTP server whose answers a test writes down, and which counts what it was asked."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: status and body.

    `hang` keeps the connection silent until the end, `lasts` has it give this answer ever after.
    """

    status: int
    body: bytes = b""
    hang: bool = False
    lasts: bool = False


def error(status: int, code: str) -> Answer:
    """Return an answer in the form of S3's errors."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode())


@dataclass(slots=True)
class Scripted:
    """A small S3: objects in memory, save for what `answer` decides itself."""

    answer: Callable[[str, str, int], Answer | None]
    """Given method, path and how often this was asked before; None is the ordinary answer."""
    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def count(self, method: str, part: str) -> int:
        """How many requests of a method had a path that contains `part`."""
        return sum(n for (m, path), n in self.asked.items() if m == method and part in path)


@contextmanager
def serving(answer: Callable[[str, str, int], Answer | None]) -> Iterator[Scripted]:
    """Run a scripted server until the block ends."""
    script = Scripted(answer)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        last: Answer | None = None

        def handle_request(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            with lock:
                before = script.asked[self.command, self.path]
                script.asked[self.command, self.path] += 1
                reply = self.last or script.answer(self.command, self.path, before)
                if reply is None:
                    reply = self.ordinary(body)
            self.last = reply if reply.lasts else None
            if reply.hang:
                script.released.wait()
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            content = script.objects.get(self.path, b"")
            self.send_header("ETag", f'"{md5(content, usedforsecurity=False).hexdigest()}"')
            self.send_header("Last-Modified", formatdate(usegmt=True))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        def ordinary(self, body: bytes) -> Answer:
            match self.command:
                case "PUT":
                    if self.headers.get("If-None-Match") == "*" and self.path in script.objects:
                        return error(412, "PreconditionFailed")
                    script.objects[self.path] = body
                    return Answer(200)
                case "DELETE":
                    script.objects.pop(self.path, None)
                    return Answer(204)
            found = script.objects.get(self.path)
            return error(404, "NoSuchKey") if found is None else Answer(200, found)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_request  # noqa: N815 - http.server's

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.released.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""A small API server: WorkPlans and pods in memory, enough for the command line."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]


@dataclass(slots=True)
class FakeKube:
    """The objects of the server; a watch gets `events` and then stays open."""

    port: int = 0
    workplans: dict[str, Json] = field(default_factory=dict)
    pods: list[Json] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def kubeconfig(self, folder: Path, namespace: str = "mine") -> Path:
        """Write a kubeconfig that leads here."""
        path = folder / "kubeconfig"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "fake", "user": {}}],
            "contexts": [
                {
                    "name": "fake",
                    "context": {"cluster": "fake", "user": "fake", "namespace": namespace},
                }
            ],
        }
        path.write_text(json.dumps(content))
        return path

    def add(self, name: str, status: Json, namespace: str = "mine") -> Json:
        """Add a WorkPlan."""
        body = {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": f"uid-{name}",
                "resourceVersion": "1",
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {"source": {"program": 'print "x" 1'}},
            "status": status,
        }
        self.workplans[name] = body
        return body


@contextmanager
def serving() -> Iterator[FakeKube]:
    """Run a fake API server until the block ends."""
    fake = FakeKube()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fake.asked.append((self.command, self.path))
            parts = url.path.strip("/").split("/")
            if parts[-1] == "log":
                self.send(200, fake.logs.get(parts[-2], "").encode(), "text/plain")
            elif "pods" in parts:
                self.send_json(200, {"metadata": {"resourceVersion": "1"}, "items": fake.pods})
            elif "watch" in query:
                self.watch()
            elif parts[-1] == "workplans":
                self.collection(body, query)
            else:
                self.one(parts[-1], body)

        def collection(self, body: bytes, query: dict[str, list[str]]) -> None:
            if self.command == "POST":
                made = json.loads(body)
                name = made["metadata"].setdefault(
                    "name", made["metadata"].get("generateName", "") + "abcde"
                )
                if name in fake.workplans:
                    self.refuse(409, "AlreadyExists", f'workplans "{name}" already exists', name)
                    return
                fake.workplans[name] = made
                self.send_json(201, made)
                return
            items = list(fake.workplans.values())
            for field_selector in query.get("fieldSelector", []):
                wanted = field_selector.partition("=")[2]
                items = [item for item in items if item["metadata"]["name"] == wanted]
            self.send_json(200, {"metadata": {"resourceVersion": "1"}, "items": items})

        def one(self, name: str, body: bytes) -> None:
            found = fake.workplans.get(name)
            if found is None:
                self.refuse(404, "NotFound", f'workplans "{name}" not found', name)
                return
            if self.command == "DELETE":
                del fake.workplans[name]
            elif self.command == "PATCH":
                for part, fields in json.loads(body).items():
                    found[part].update(fields)
            self.send_json(200, found)

        def watch(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.end_headers()
            for event in fake.events:
                self.wfile.write(json.dumps(event).encode() + b"\n")
                self.wfile.flush()
            fake.closing.wait()
            self.close_connection = True

        def refuse(self, code: int, reason: str, message: str, name: str) -> None:
            self.send_json(
                code,
                {"kind": "Status", "reason": reason, "message": message, "details": {"name": name}},
            )

        def send_json(self, code: int, content: Json) -> None:
            self.send(code, json.dumps(content).encode(), "application/json")

        def send(self, code: int, data: bytes, kind: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's names

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()

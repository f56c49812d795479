"""A real API server with etcd and nothing else, as envtest starts it: no node, no controllers.

Objects are stored, validated and watched as in a cluster; nothing acts on them, so that a test
writes the status of children itself (`dask_operator`) and removes what a garbage collector would.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.waiting import wait_for
from tests.tools.cluster.charts import dask_chart
from tests.tools.cluster.control_plane import answers
from tests.tools.cluster.go_programs import KUBERNETES, built
from voxk8s.api import crd
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import KindMissing
from voxk8s.cluster.resources import (
    CRDS,
    NAMESPACES,
    ApiResource,
)

_START_SECONDS = 60.0


@dataclass(slots=True)
class ApiServer:
    """An API server that runs on a free port of this machine."""

    folder: Path
    port: int
    etcd_port: int
    token: str
    processes: list[subprocess.Popen[bytes]]

    @property
    def url(self) -> str:
        """Where it listens; its certificate signs itself."""
        return f"https://127.0.0.1:{self.port}"

    def kubeconfig(self, url: str | None = None) -> Path:
        """Write a kubeconfig of an administrator; `url` leads through a proxy."""
        cluster: dict[str, Any] = {"server": url or self.url}
        if url is None:
            cluster["insecure-skip-tls-verify"] = True
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": self.token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        path = self.folder / f"kubeconfig-{secrets.token_hex(4)}"
        path.write_text(json.dumps(content))
        return path

    async def connect(self, url: str | None = None) -> KubeClient:
        """Open a client; `url` leads through a proxy."""
        return await KubeClient.connect({"KUBECONFIG": str(self.kubeconfig(url))})

    def pause(self) -> None:
        """Stop etcd and the API server as a snapshot needs it."""
        etcd, server = self.processes
        server.kill()  # It waits a minute for its watches before it ends by itself.
        server.wait()
        etcd.terminate()
        etcd.wait()
        self.processes.clear()

    def resume(self) -> None:
        """Start both again on the same ports and with the data in the folder."""
        self.processes += _start(self.folder, self.port, self.etcd_port)
        _wait_until_ready(self)

    def snapshot(self) -> Path:
        """Copy the data of etcd, as of a backup; to be called while paused."""
        target = self.folder / f"snapshot-{secrets.token_hex(4)}"
        shutil.copytree(self.folder / "etcd", target)
        return target

    def restore(self, snapshot: Path) -> None:
        """Replace the data of etcd by a snapshot; to be called while paused."""
        shutil.rmtree(self.folder / "etcd")
        shutil.copytree(snapshot, self.folder / "etcd")


@contextmanager
def serve() -> Iterator[ApiServer]:
    """Run etcd and an API server until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="voxk8s-api-", dir=_memory_folder()))
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    subprocess.run(
        ["openssl", "genrsa", "-out", folder / "sa.key", "2048"], check=True, capture_output=True
    )
    port, etcd_port = _free_ports(2)
    server = ApiServer(folder, port, etcd_port, token, [])
    try:
        server.resume()
        yield server
    finally:
        for process in reversed(server.processes):
            process.send_signal(signal.SIGKILL)
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


async def install_crds(kube: KubeClient) -> None:
    """Install our CRD and those of dask-kubernetes, and wait until they are served."""
    texts = [path.read_text() for path in sorted((dask_chart() / "crds").glob("*.yaml"))]
    manifests = [crd.crd()]
    for text in texts:
        manifests += [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]
    await install(kube, manifests)


async def install(kube: KubeClient, crds: Iterable[dict[str, Any]]) -> None:
    """Create CRDs, and wait until the versions that they store are served."""
    resources = []
    for each in crds:
        await kube.create(CRDS, each)
        resources.append(resource_of_crd(each))
    for resource in resources:
        while not await _is_served(kube, resource):  # noqa: ASYNC110 - only by asking
            await asyncio.sleep(0.1)


def resource_of_crd(crd: dict[str, Any]) -> ApiResource:
    """Return the resource that a CRD defines, in the version that it stores."""
    spec = crd["spec"]
    version = next(each["name"] for each in spec["versions"] if each["storage"])
    return ApiResource(spec["group"], version, spec["names"]["plural"], spec["names"]["kind"])


async def _is_served(kube: KubeClient, resource: ApiResource) -> bool:
    try:
        await kube.list(resource)
    except KindMissing:
        return False
    return True


async def make_namespace(kube: KubeClient, name: str | None = None) -> str:
    """Create a namespace and return its name."""
    name = name or f"t-{secrets.token_hex(4)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await kube.create(NAMESPACES, body)
    return name


def _start(folder: Path, port: int, etcd_port: int) -> list[subprocess.Popen[bytes]]:
    client, peer = f"http://127.0.0.1:{etcd_port}", "http://127.0.0.1:0"
    etcd = [
        "etcd", f"--data-dir={folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=error",
        f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}", "--quota-backend-bytes=4294967296",
    ]  # fmt: skip
    api = [
        built(KUBERNETES) / "kube-apiserver",
        f"--etcd-servers={client}", "--bind-address=127.0.0.1", f"--secure-port={port}",
        f"--cert-dir={folder / 'certificates'}", f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16",
        f"--service-account-key-file={folder / 'sa.key'}",
        f"--service-account-signing-key-file={folder / 'sa.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        # Nothing makes the default service account of a namespace here.
        "--disable-admission-plugins=ServiceAccount",
        "--event-ttl=30m", "--watch-cache=true",
    ]  # fmt: skip
    started = []
    for name, command in (("etcd", etcd), ("kube-apiserver", api)):
        with (folder / f"{name}.log").open("ab") as log:
            started.append(
                subprocess.Popen([str(word) for word in command], stdout=log, stderr=log)
            )
    return started


def _wait_until_ready(server: ApiServer) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def ready() -> bool:
        ended = [each for each in server.processes if each.poll() is not None]
        if ended:
            log = (server.folder / "kube-apiserver.log").read_text()[-2000:]
            raise AssertionError(f"{ended[0].args!r} ended: {log}")
        return answers(f"{server.url}/readyz", context)

    wait_for("the API server is ready", ready, _START_SECONDS, pause=0.05)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _memory_folder() -> str | None:
    """Return a folder in memory, where there is one: etcd writes much."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

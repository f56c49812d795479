"""The S3 server of the cluster as scripts see it: `.cluster/env`, and how to stop and start it."""

import base64
import json
import shlex
import socket
import sys
from pathlib import Path

from tests.cluster import programs
from tests.cluster.charts import BUCKET, DENIED, SYSTEM, kubectl
from tests.cluster.commands import wait_until
from tests.cluster.errors import ClusterError
from tests.cluster.kubeconfig import write_private
from tests.cluster.layout import ENVIRONMENT, KUBECONFIG, LOCAL, ROOT
from tests.cluster.processes import Processes
from tests.cluster.progress import step

SERVICE = "voxk8s-s3"
PORT = 8333
REGION = "us-east-1"
FORWARDED = 18333
"""The port of this machine where the server is not reachable by its cluster address."""

PROCESSES = Processes(LOCAL / "processes", LOCAL / "logs")


def describe(*, reachable: bool) -> None:
    """Write `.cluster/env`; `reachable`: Services of the cluster can be reached from here."""
    with step("the S3 server is ready"):
        kubectl("rollout", "status", workload(), "-n", SYSTEM, "--timeout=120s")
    service = json.loads(kubectl("get", "service", SERVICE, "-n", SYSTEM, "-o", "json"))
    access, secret = keys()
    if reachable:
        endpoint = f"http://{service['spec']['clusterIP']}:{PORT}"
    else:
        connect()
        endpoint = f"http://127.0.0.1:{FORWARDED}"
    values = {
        "S3_ENDPOINT": endpoint,
        "S3_ENDPOINT_IN_CLUSTER": f"http://{SERVICE}.{SYSTEM}.svc.cluster.local:{PORT}",
        "S3_BUCKET": BUCKET,
        "S3_REGION": REGION,
        "AWS_ACCESS_KEY_ID": access,
        "AWS_SECRET_ACCESS_KEY": secret,
        "STORE_STOP": str(script("store-stop", 0, reachable=reachable)),
        "STORE_START": str(script("store-start", 1, reachable=reachable)),
        "STORE_DENIED_NAMESPACE": DENIED,
    }
    write_private(ENVIRONMENT, "".join(f"{name}={value}\n" for name, value in values.items()))


def keys() -> tuple[str, str]:
    """Return the keys of the server from its Secret."""
    data = json.loads(kubectl("get", "secret", SERVICE, "-n", SYSTEM, "-o", "json"))["data"]
    access, secret = (
        base64.b64decode(data[name]).decode()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    )
    return access, secret


def workload() -> str:
    """Return the workload that runs the server, as `deployment.apps/name`."""
    for kind in ("deployment", "statefulset"):
        name = kubectl(
            "get", kind, SERVICE, "-n", SYSTEM, "--ignore-not-found", "-o", "name"
        ).strip()
        if name:
            return name
    raise ClusterError(f"there is neither a Deployment nor a StatefulSet {SERVICE} in {SYSTEM}")


def script(name: str, replicas: int, *, reachable: bool) -> Path:
    """Write a command without arguments that scales the server; its volume keeps the data."""
    base = shlex.join(
        [str(programs.kubectl().resolve()), "--kubeconfig", str(KUBECONFIG), "-n", SYSTEM]
    )
    lines = ["#!/bin/sh", "set -e", f"{base} scale {workload()} --replicas={replicas} >/dev/null"]
    if replicas:
        lines.append(f"{base} rollout status {workload()} --timeout=120s >/dev/null")
        if not reachable:
            again = shlex.join([sys.executable, "-m", "tests.cluster", "connect"])
            lines.append(f"cd {shlex.quote(str(ROOT))} && {again}")
    else:
        selector = json.loads(kubectl("get", workload(), "-n", SYSTEM, "-o", "json"))
        labels = selector["spec"]["selector"]["matchLabels"]
        query = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        lines.append(f"{base} wait pod -l {query} --for=delete --timeout=120s >/dev/null")
    path = LOCAL / name
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o755)
    return path


def connect() -> None:
    """Forward a port of this machine to the server, anew if it was before."""
    disconnect()
    command: list[str | Path] = [
        programs.kubectl().resolve(),
        "--kubeconfig",
        KUBECONFIG,
        "-n",
        SYSTEM,
    ]
    PROCESSES.start("s3", [*command, "port-forward", f"service/{SERVICE}", f"{FORWARDED}:{PORT}"])
    wait_until("the S3 server answers on this machine", listening, seconds=30)


def disconnect() -> None:
    """Stop forwarding."""
    PROCESSES.stop(PROCESSES.names())


def listening() -> bool:
    """Return whether the forwarded port is open."""
    try:
        with socket.create_connection(("127.0.0.1", FORWARDED), timeout=1):
            return True
    except OSError:
        return False

"""The S3 server of the cluster as scripts see it: `.cluster/env`, and how to stop and start it."""

import base64
import json
import shlex
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT
from tests.tools.cluster import go_programs
from tests.tools.cluster.charts import BUCKET, DENIED, SYSTEM, kubectl, wait_rolled_out
from tests.tools.cluster.commands import wait_until
from tests.tools.cluster.kubeconfig import write_private
from tests.tools.cluster.paths import ENVIRONMENT, KUBECONFIG, LOCAL
from tests.tools.cluster.processes import Processes
from tests.tools.cluster.progress import step

SERVICE = "voxk8s-s3"
WORKLOAD = f"statefulset/{SERVICE}"
PORT = 8333
REGION = "us-east-1"
FORWARDED = 18333
"""The port of this machine where the server is not reachable by its cluster address."""

PROCESSES = Processes(LOCAL / "processes", LOCAL / "logs")


def describe(*, reachable: bool) -> None:
    """Write `.cluster/env`; `reachable`: Services of the cluster can be reached from here."""
    words = (f"service/{SERVICE}", f"secret/{SERVICE}", WORKLOAD, "-n", SYSTEM, "-o", "json")
    service, secret, workload = json.loads(kubectl("get", *words))["items"]
    with step("the S3 server is ready"):
        wait_rolled_out(workload)
    if not reachable:
        connect()
    labels = workload["spec"]["selector"]["matchLabels"]
    values = {
        "S3_ENDPOINT": endpoint(service, reachable=reachable),
        "S3_ENDPOINT_IN_CLUSTER": f"http://{SERVICE}.{SYSTEM}.svc.cluster.local:{PORT}",
        "S3_BUCKET": BUCKET,
        "S3_REGION": REGION,
        **{name: decoded(secret, name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")},
        "STORE_STOP": str(write_script("store-stop", stop_lines(labels))),
        "STORE_START": str(write_script("store-start", start_lines(reachable=reachable))),
        "STORE_DENIED_NAMESPACE": DENIED,
    }
    write_private(ENVIRONMENT, "".join(f"{name}={value}\n" for name, value in values.items()))


def endpoint(service: Mapping[str, Any], *, reachable: bool) -> str:
    """Return the server's address for programs of this machine."""
    return (
        f"http://{service['spec']['clusterIP']}:{PORT}"
        if reachable
        else f"http://127.0.0.1:{FORWARDED}"
    )


def decoded(secret: Mapping[str, Any], name: str) -> str:
    """Return a value of a Secret."""
    return base64.b64decode(secret["data"][name]).decode()


def stop_lines(labels: Mapping[str, str]) -> list[str]:
    """Return the commands that stop the server; its volume keeps the data."""
    query = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return [
        f"{command()} scale {WORKLOAD} --replicas=0 >/dev/null",
        f"{command()} wait pod -l {query} --for=delete --timeout=120s >/dev/null",
    ]


def start_lines(*, reachable: bool) -> list[str]:
    """Return the commands that start the server and wait until it answers."""
    lines = [
        f"{command()} scale {WORKLOAD} --replicas=1 >/dev/null",
        f"{command()} rollout status {WORKLOAD} --timeout=120s >/dev/null",
    ]
    if not reachable:
        again = shlex.join([sys.executable, "-m", "tests.tools.cluster", "connect"])
        lines.append(f"cd {shlex.quote(str(ROOT))} && {again}")
    return lines


def command() -> str:
    """Return kubectl for a shell."""
    words = [go_programs.kubectl(), "--kubeconfig", KUBECONFIG, "-n", SYSTEM]
    return shlex.join(map(str, words))


def write_script(name: str, lines: list[str]) -> Path:
    """Write a program of shell commands: one word, so that it fits in a line of KEY=VALUE."""
    path = LOCAL / name
    path.write_text("\n".join(["#!/bin/sh", "set -e", *lines]) + "\n")
    path.chmod(0o755)
    return path


def connect() -> None:
    """Forward a port of this machine to the server, anew if it was before."""
    disconnect()
    kubectl_words = (go_programs.kubectl(), "--kubeconfig", KUBECONFIG, "-n", SYSTEM)
    forwarding = ("port-forward", f"service/{SERVICE}", f"{FORWARDED}:{PORT}")
    PROCESSES.start("s3", [*kubectl_words, *forwarding])
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

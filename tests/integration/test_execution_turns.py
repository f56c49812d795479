"""Two processes with a Dask of their own each, one S3 store, and an operation that both need."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.executions import PlanMaker
from tests.support.s3 import S3Server
from tests.support.waiting import wait_until
from voxk8s.execution import load_plan
from voxk8s.kernels import registry
from voxk8s.plan import encode, key_graph
from voxk8s.storage import open_store
from voxk8s.storage.layout import lease_path

pytestmark = pytest.mark.s3

_PROGRAM = """
import json, logging, sys
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.storage import open_store

logging.basicConfig(level=logging.INFO)
plan, store = load_plan(sys.argv[1]), open_store(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
result = ExecutionEngine(store, write_files=False, label=sys.argv[3]).execute_workplan(plan)
counts = result.progress
print(json.dumps({"values": dict(result), "computed": counts.computed, "total": counts.total}))
"""


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test kernels on, here and in the processes."""
    monkeypatch.setenv("VOXK8S_TEST_KERNELS", "1")


class Running:
    """A process that runs one plan when it is told to."""

    def __init__(self, plan: Path, store: str, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(plan), store, plan.stem],
            env=os.environ | env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def go(self) -> None:
        """Begin."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> tuple[dict[str, object], str]:
        """Wait for the end; gives what came out, and the log."""
        out, log = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, log
        found: dict[str, object] = json.loads(out)
        return found, log

    def kill(self) -> None:
        """End it at once."""
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=60)


def _plan(folder: Path, name: str, seconds: float, more: float) -> Path:
    make = PlanMaker()
    make.show("x", make("addition", make("test.sleep", seconds), more))
    path = folder / f"{name}.json"
    path.write_bytes(encode(make.plan()))
    return path


def test_shared_operation_is_computed_once(s3_server: S3Server, tmp_path: Path) -> None:
    """Two runs that begin at the same moment compute what they share once, and both have it."""
    url = s3_server.url()
    runs = [
        Running(_plan(tmp_path, name, 1.5, more), url, s3_server.env)
        for name, more in (("first", 1.0), ("second", 2.0))
    ]
    for run in runs:
        run.go()
    ends = [run.end() for run in runs]
    assert [found["values"] for found, _ in ends] == [{"x": 2.5}, {"x": 3.5}]
    assert [found["total"] for found, _ in ends] == [2, 2]
    assert sorted(int(str(found["computed"])) for found, _ in ends) == [1, 2]
    waited = [log for _, log in ends if "waits for" in log]
    assert len(waited) == 1
    assert "test.sleep" in waited[0]


def test_killed_holder_holds_up_for_the_lease_only(s3_server: S3Server, tmp_path: Path) -> None:
    """What a killed process was computing is computed by the one that waits, after the lease."""
    url = s3_server.url()
    env = s3_server.env | {"VOXK8S_LEASE_SECONDS": "5"}
    first, second = (
        Running(_plan(tmp_path, name, 1.0, more), url, env)
        for name, more in (("first", 1.0), ("second", 2.0))
    )
    store = open_store(url, options=s3_server.options)
    graph = key_graph(load_plan(tmp_path / "first.json"), registry())
    [slow] = [key for key, node in graph.nodes.items() if "sleep" in getattr(node, "kernel", "")]
    first.go()
    wait_until(lambda: store._backend.get(lease_path(slow)) is not None)
    first.kill()
    begin = time.monotonic()
    second.go()
    found, log = second.end()
    assert found == {"values": {"x": 3.0}, "computed": 2, "total": 2}
    assert "waits for first" in log
    assert time.monotonic() - begin < 5 + 1 + 10

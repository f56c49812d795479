"""Two processes with a Dask of their own each, one store, and an operation that both need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.plans_and_runs import PlanMaker
from tests.support.redis import RedisServer
from tests.support.s3 import S3Server
from tests.support.waiting import wait_until
from voxk8s.plan import encode

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


Place = tuple[str, dict[str, str]]
"""The URL of a store, and the environment with its credentials."""


@pytest.fixture(
    params=[
        "folder",
        pytest.param("s3", marks=pytest.mark.s3),
        pytest.param("redis", marks=pytest.mark.redis),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A fresh store that processes can share."""
    if request.param == "folder":
        return str(tmp_path / "store"), {}
    server: S3Server | RedisServer = request.getfixturevalue(f"{request.param}_server")
    return server.url(), server.env


class Running:
    """A process that runs one plan on request and logs to a file next to it."""

    def __init__(self, plan: Path, store: str, env: dict[str, str]) -> None:
        self.name = plan.stem
        self._log = plan.with_suffix(".log")
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(plan), store, self.name],
                env=os.environ | env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", self.log

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def go(self) -> None:
        """Begin."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, object]:
        """Wait for the end; gives what came out."""
        out, _ = self._process.communicate(timeout=120)
        assert self._process.returncode == 0, self.log
        found: dict[str, object] = json.loads(out)
        return found

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.communicate(timeout=60)


def _start(folder: Path, seconds: float, place: Place, **more_env: str) -> list[Running]:
    """Start two runs of different plans over one operation that takes so many seconds."""
    url, env = place
    runs = []
    for name, more in (("first", 1.0), ("second", 2.0)):
        make = PlanMaker()
        make.show("x", make("addition", make("test.sleep", seconds), more))
        path = folder / f"{name}.json"
        path.write_bytes(encode(make.plan()))
        runs.append(Running(path, url, env | more_env))
    for run in runs:
        run.go()
    return runs


def test_shared_operation_is_computed_once(place: Place, tmp_path: Path) -> None:
    """Two runs that begin at the same moment compute what they share once, and both have it."""
    runs = _start(tmp_path, 1.0, place)
    ends = [run.end() for run in runs]
    assert [found["values"] for found in ends] == [{"x": 2.0}, {"x": 3.0}]
    assert [found["total"] for found in ends] == [2, 2]
    assert sorted(int(str(found["computed"])) for found in ends) == [1, 2]


def test_killed_holder_holds_up_for_the_lease_only(place: Place, tmp_path: Path) -> None:
    """What a killed process was computing is computed by the one that waits, after the lease."""
    runs = _start(tmp_path, 3.0, place, VOXK8S_LEASE_SECONDS="2")
    wait_until(lambda: any("waits for" in run.log for run in runs), seconds=60)
    [waiting] = [run for run in runs if "waits for" in run.log]
    [holder] = [run for run in runs if run is not waiting]
    assert f"waits for {holder.name}" in waiting.log
    holder.kill()
    found = waiting.end()
    assert found["values"] == {"x": 4.0 if waiting.name == "first" else 5.0}
    assert (found["computed"], found["total"]) == (2, 2)

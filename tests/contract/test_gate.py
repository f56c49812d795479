"""The gate tidies up, however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.waiting import wait_until

GATE = ROOT / ".ci" / "run"


def gate(folder: Path, test: str, down: str = "true") -> subprocess.Popen[bytes]:
    """Start the gate with steps that only print that `test` and `down` ran."""
    (folder / ".ci").mkdir()
    shutil.copy(GATE, folder / ".ci" / "run")
    steps = f"""\
        lint:
        \t@touch lint.ran
        test:
        \t@touch test.ran; {test}
        cluster-down:
        \t@touch down.ran; {down}
        """
    (folder / "Makefile").write_text(textwrap.dedent(steps))
    return subprocess.Popen(
        [folder / ".ci" / "run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def test_the_cluster_goes_when_all_has_passed(tmp_path: Path) -> None:
    """Lint and tests run, the cluster goes, and the status is 0."""
    assert gate(tmp_path, "true").wait(20) == 0
    assert sorted(path.name for path in tmp_path.glob("*.ran")) == [
        "down.ran",
        "lint.ran",
        "test.ran",
    ]


def test_the_cluster_goes_when_tests_fail(tmp_path: Path) -> None:
    """The status is that of the tests, and nothing is left behind."""
    assert gate(tmp_path, "false").wait(20) == 2
    assert (tmp_path / "down.ran").exists()


def test_what_is_left_behind_fails_the_gate(tmp_path: Path) -> None:
    """A cluster that does not go is a failure, though all tests passed."""
    assert gate(tmp_path, "true", down="false").wait(20) == 1


def test_a_gate_that_is_ended_ends_its_tests(tmp_path: Path) -> None:
    """A step dies with the gate, in a folder whose name has a space, too; then the cluster goes."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    running = gate(folder, "echo $$$$ > pid; while true; do sleep 0.1; done")
    pid = folder / "pid"
    wait_until(lambda: pid.exists() and pid.read_text().strip() != "")
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert (folder / "down.ran").exists()

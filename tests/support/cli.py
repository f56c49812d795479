"""The command line as a program of its own, as users and scripts call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from voxk8s.constants import ENV_DASK_MEMORY

PROGRAM = [sys.executable, "-m", "voxk8s.cli"]


@dataclass(frozen=True)
class Done:
    """What a call left behind."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


def environment(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without the user's own stores, clusters and credentials."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "VOXK8S_", "VOXLOGICA_", "KUBE"))
    }
    return {
        **kept,
        "VOXK8S_STORE": str(folder / "store"),
        "VOXK8S_TEST_KERNELS": "1",
        "HOME": str(folder),
        **(more or {}),
    }


def enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder the current one of this process, with the environment of commands in it."""
    monkeypatch.chdir(folder)
    clean = environment(folder)
    for name in set(os.environ) - set(clean):
        monkeypatch.delenv(name)
    for name, value in clean.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(ENV_DASK_MEMORY, "auto")  # `run` would set it for this whole process


def voxk8s(
    folder: Path,
    *words: str,
    env: Mapping[str, str] | None = None,
    timeout: float = 100,
    given: str = "",
) -> Done:
    """Call voxk8s in a folder, `given` on its standard input; no call ever shows a traceback."""
    done = subprocess.run(
        [*PROGRAM, *words],
        cwd=folder,
        env=environment(folder, env),
        input=given,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def start(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start voxk8s in a folder, to be interrupted."""
    return subprocess.Popen(
        [*PROGRAM, *words],
        cwd=folder,
        env=environment(folder, env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

"""Fixtures that call commands in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cli import Done, enter
from tests.support.fake_kube import FakeKube, serving
from voxk8s.cli.__main__ import call as call_program


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder of a command; its environment has a store in there."""
    enter(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture
def call(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Return a function that calls a command."""
    assert Path.cwd() == folder

    def invoke(*words: str) -> Done:
        capsys.readouterr()
        try:
            status = call_program(words)
        except SystemExit as error:
            status = int(str(error.code))
        return Done(status, *capsys.readouterr())

    return invoke


@pytest.fixture
def kube(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKube]:
    """Return an API server without objects, and name its kubeconfig in the environment."""
    with serving() as fake:
        monkeypatch.setenv("KUBECONFIG", str(fake.kubeconfig(folder)))
        yield fake

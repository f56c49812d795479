"""Decoders are started early for programs that load files which the store does not know."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from tests.support.plans_and_runs import write_image
from voxk8s.cli import new_inputs
from voxk8s.cli.__main__ import call
from voxk8s.cli.argument_parser import build_parser
from voxk8s.formats.sandbox import server_process

PROGRAM = 'import "vox1"\nload i = "a.nii"\nprint "v" volume(i >. 2)\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with an image and a program that loads it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VOXK8S_STORE_DOMAIN", raising=False)
    monkeypatch.setenv("VOXK8S_STORE", str(tmp_path / "store"))
    write_image(tmp_path / "a.nii", 3.0, (2, 3, 4))
    (tmp_path / "p.imgql").write_text(PROGRAM)
    return tmp_path


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Return the starts of the server of decoders, none of which happens."""
    found: list[None] = []
    monkeypatch.setattr(new_inputs, "prepare_decoders", lambda: found.append(None))
    return found


def _arguments(*words: str) -> argparse.Namespace:
    return build_parser().parse_args(["run", *words])


def test_a_new_file_starts_decoders(starts: list[None]) -> None:
    """Once, before anything else."""
    new_inputs.prepare_for_new_inputs(_arguments("p.imgql"))
    assert len(starts) == 1


def test_a_known_file_starts_none(starts: list[None], folder: Path) -> None:
    """What a run has remembered of it is found; a changed file is new again."""
    assert call(["run", "-q", "p.imgql"]) == 0
    starts.clear()
    new_inputs.prepare_for_new_inputs(_arguments("p.imgql"))
    assert starts == []
    write_image(folder / "a.nii", 4.0, (2, 3, 4))
    new_inputs.prepare_for_new_inputs(_arguments("p.imgql"))
    assert len(starts) == 1


@pytest.mark.parametrize("option", ["--no-cache", "--refresh"])
def test_a_run_that_computes_all_starts_decoders(starts: list[None], option: str) -> None:
    """Also for files that are known."""
    assert call(["run", "-q", "p.imgql"]) == 0
    starts.clear()
    new_inputs.prepare_for_new_inputs(_arguments("p.imgql", option))
    assert len(starts) == 1


@pytest.mark.parametrize(
    "text",
    [
        'print "x" 1 + 2',
        'load i = "missing.nii"',
        'load i = "s3://bucket/a.nii"',
        'load i = "$CASE/a.nii"',
        'load i = "a.json"',
        '// load i = "a.nii"',
        'load i = "a\0.nii"',
    ],
)
def test_a_program_that_loads_no_file_of_this_machine_starts_none(
    starts: list[None], folder: Path, text: str
) -> None:
    """Nor does one whose file is missing, is said later, or is read in this process."""
    (folder / "a.json").write_text("1")
    (folder / "p.imgql").write_text(text)
    new_inputs.prepare_for_new_inputs(_arguments("p.imgql"))
    assert starts == []


@pytest.mark.parametrize(
    "words",
    [
        ("p.json",),
        ("-",),
        ("missing.imgql",),
        ("p.imgql", "--store", "s3://bucket"),
        ("p.imgql", "--store", "no-such://store"),
        ("p.imgql", "--domain", "team"),
    ],
)
def test_what_is_not_known_without_more_work_starts_none(
    starts: list[None], folder: Path, words: tuple[str, ...]
) -> None:
    """Documents, standard input, servers, and domains that trust others."""
    (folder / "p.json").write_text(PROGRAM)
    new_inputs.prepare_for_new_inputs(_arguments(*words))
    assert starts == []


def test_a_pipe_is_not_read(starts: list[None], folder: Path) -> None:
    """It can be read once only, by the run."""
    os.mkfifo(folder / "pipe.imgql")
    new_inputs.prepare_for_new_inputs(_arguments("pipe.imgql"))
    assert starts == []


def test_the_server_that_was_started_is_the_one_that_decodes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run does not start another one."""
    servers = server_process.ServerProcess()
    monkeypatch.setattr(server_process, "servers", servers)
    new_inputs.prepare_for_new_inputs(_arguments("p.imgql"))
    first = servers._process
    assert first is not None
    server_process.prepare_decoders()
    assert servers._process is first
    servers.restart()

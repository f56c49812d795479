"""Tests of the entry point: messages and exit statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from voxk8s.cli import __main__ as program
from voxk8s.cli import install_hint
from voxk8s.errors import (
    InvalidPlan,
    InvalidProgram,
    InvalidUsage,
    StoreUnreachable,
)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOXK8S_STORE", str(tmp_path / "store"))


def fails_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command raise an error."""

    def run(_: object) -> int:
        raise error

    fake = SimpleNamespace(run=run)
    monkeypatch.setattr("importlib.import_module", lambda _: fake)
    monkeypatch.setattr(install_hint, "install_command", "bring {}".format)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (InvalidPlan("a cycle", "$.nodes[1]"), 2, "voxk8s: a cycle (at $.nodes[1])\n"),
        (InvalidProgram("a.imgql:1:2: error: no"), 2, "a.imgql:1:2: error: no\n"),
        (InvalidUsage("no such store"), 2, "voxk8s: no such store\n"),
        (StoreUnreachable("cannot read"), 1, "voxk8s: cannot read\n"),
        (KeyboardInterrupt(), 130, "voxk8s: interrupted\n"),
        (program.Terminated(), 143, "voxk8s: terminated\n"),
        (
            ModuleNotFoundError("No module named 'dask'", name="dask.base"),
            1,
            "voxk8s: this command needs dask: bring engine\n",
        ),
        (
            ModuleNotFoundError("No module named 'kubernetes'", name="kubernetes"),
            1,
            "voxk8s: this command needs kubernetes: bring operator\n",
        ),
    ],
)
def test_errors_become_messages_and_statuses(
    error: BaseException,
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Invalid input is 2, failure 1, interruption 130; the message says what was wrong."""
    fails_with(error, monkeypatch)
    assert program.call(["crd"]) == status
    out, err = capsys.readouterr()
    assert (out, err) == ("", message)


def test_a_signal_during_the_start_is_said_as_later(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While modules are imported and options parsed: no traceback."""

    def interrupt() -> None:
        raise program.Terminated

    monkeypatch.setattr(program, "build_parser", interrupt)
    assert program.call(["crd"]) == 143
    assert capsys.readouterr().err == "voxk8s: terminated\n"


def test_a_signal_of_which_a_library_makes_an_error_is_still_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As numpy does while it is imported."""
    fails_with(ImportError("PyCapsule_Import could not import module"), monkeypatch)
    monkeypatch.setattr(program.Terminated, "came", True)
    assert program.call(["crd"]) == 143
    assert capsys.readouterr().err == "voxk8s: terminated\n"


def test_a_signal_after_the_end_ends_the_process() -> None:
    """While Python waits for threads and calls what is registered for the exit."""
    code = (
        "import atexit, os\n"
        "from voxk8s.cli import __main__ as program\n"
        "atexit.register(os.kill, os.getpid(), 15)\n"
        "program.call = lambda: 0\n"
        "program.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, b"")


def test_faults_are_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unexpected error is one line, and a traceback only with -vv."""
    fails_with(ZeroDivisionError("oh"), monkeypatch)
    assert program.call(["crd"]) == 1
    quiet = capsys.readouterr().err
    assert quiet.startswith("voxk8s: ZeroDivisionError: oh")
    assert "Traceback" not in quiet
    assert program.call(["crd", "-vv"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_closed_pipe_is_no_error_message(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """When the reader of the output goes away, nothing is said."""
    fails_with(BrokenPipeError(), monkeypatch)
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    assert program.call(["crd"]) == 1
    assert capfd.readouterr().err == ""


def node(operator: str, *arguments: str) -> dict[str, object]:
    """Return an operation named `a`."""
    numbered = {str(number): argument for number, argument in enumerate(arguments)}
    return {"id": "a", "type": "operation", "operator": operator, "arguments": numbered}


INVALID = {
    "cycle": json.dumps({"nodes": [node("default.floor", "a")], "goals": []}),
    "unknown kernel": json.dumps({"nodes": [node("additoin")], "goals": []}),
    "arity": json.dumps({"nodes": [node("addition")], "goals": []}),
    "no json": "{",
    "no document": "[]",
    "nothing": "",
}


@pytest.mark.parametrize("what", INVALID)
@pytest.mark.parametrize("command", ["run", "compile", "check", "explain", "submit"])
def test_invalid_plans_leave_standard_output_empty(
    what: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, a short message, no output, whatever the command."""
    Path("plan.json").write_text(INVALID[what])
    assert program.call([command, "plan.json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("voxk8s: ")
    assert len(err) < 1000


WRONG = [
    [],
    ["run"],
    ["run", "nothing.json"],
    ["run", "folder"],
    ["run", "plan.txt"],
    ["run", "latin.imgql"],
    ["run", "latin.json"],
    ["run", "plan.json", "--param", "A=1"],
    ["run", "program.imgql", "--param", "A"],
    ["run", "program.imgql", "--store", "gopher://x"],
    ["run", "program.imgql", "--store", "s3://key:hunter2@bucket/x"],
    ["run", "program.imgql", "--refresh", "--no-cache"],
    ["run", "import.imgql"],
    ["fly"],
    ["compile", "program.imgql", "--format", "xml"],
    ["store"],
    ["status", "name", "-A"],
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_calls_are_said_in_a_few_words(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, standard output empty, standard error short and without secrets."""
    Path("folder").mkdir()
    Path("plan.txt").write_text("")
    Path("plan.json").write_text('{"nodes": [], "goals": []}')
    Path("latin.imgql").write_bytes(b'print "\xe9" 1')
    Path("latin.json").write_bytes(b'{"nodes": [], "goals": [], "\xe9": 1}')
    Path("program.imgql").write_text('print "x" 1')
    Path("import.imgql").write_text('import "nowhere"\nprint "x" 1')
    try:
        status = program.call(words)
    except SystemExit as left:
        status = int(str(left.code))
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert 0 < len(err) < 1500
    assert "hunter2" not in err

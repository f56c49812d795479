"""`voxk8s run` and its like, called as programs: exit status, both outputs, files."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, start, voxk8s
from tests.support.html import read_page
from tests.support.s3 import S3Server
from tests.support.waiting import wait_for
from tests.support.workplans import constant, operation, write_plan
from voxk8s.storage import open_store

SUM = [constant("two", 2), constant("three", 3), operation("sum", "addition", "two", "three")]


def test_run_prints_values_and_writes_files(tmp_path: Path) -> None:
    """Standard output has `name=value` lines in goal order; files go below --output."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum", "a b": "two", "deep/sum.json": "sum"})
    done = voxk8s(tmp_path, "run", plan, "--output", "out")
    assert (done.status, done.out) == (0, "sum=5.0\na b=2\n")
    assert (tmp_path / "out" / "deep" / "sum.json").read_text() == "5.0\n"
    assert "operations" in done.err


@pytest.mark.parametrize("words", [["run", "plan.json"], ["run", "nothing.json"], ["fly"]])
def test_wrong_calls_leave_standard_output_empty(tmp_path: Path, words: list[str]) -> None:
    """An invalid plan, a missing file and an unknown command: status 2 and a short message."""
    (tmp_path / "plan.json").write_text('{"nodes": [')
    done = voxk8s(tmp_path, *words)
    assert (done.status, done.out) == (2, "")
    assert 0 < len(done.err) < 1000


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_run_at_once(number: signal.Signals, status: int, tmp_path: Path) -> None:
    """Ctrl-C and SIGTERM: its lease is given back, no traceback, a report of what was done."""
    plan = write_plan(
        tmp_path,
        [
            *SUM,
            constant("long", 60),
            operation("sleep", "test.sleep", "long"),
        ],
        {"sum": "sum", "slept": "sleep"},
    )
    leases = tmp_path / "store" / "lease"
    process = start(
        tmp_path,
        *("run", plan, "-vv", "--report", "report.html"),
        *("--store", str(tmp_path / "store")),
    )
    assert process.stderr is not None
    heard = ""
    for line in process.stderr:
        heard += line
        if "default.addition" in line:
            break
    wait_for("a lease is held", lambda: any(path.is_file() for path in leases.rglob("*")))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == status, heard + err
    assert not any(path.is_file() for path in leases.rglob("*"))
    assert out == ""
    assert "Traceback" not in err
    page = read_page((tmp_path / "report.html").read_text("utf-8"))
    assert page.find("span", class_="outcome stopped")
    results = page.find("table", data_what="results")[0].rows()[1:]
    assert [row[0] for row in results] == ["sum", "slept"]
    assert results[0][1].startswith("5.0")
    assert "cancelled" in results[1][1]


def test_unreachable_store_is_said(tmp_path: Path) -> None:
    """A store that does not answer fails the run with its URL, within seconds."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum"})
    env = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "AKIAKEY",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "VOXK8S_RETRY_LIMIT": "0",
    }
    done = voxk8s(tmp_path, "run", plan, "--store", "s3://bucket/x", env=env)
    assert (done.status, done.out) == (1, "")
    assert "s3://bucket/x" in done.err
    assert "hunter2" not in done.err
    result = voxk8s(tmp_path, "run", plan, "--store", "s3://bucket/x", "--json", env=env)
    assert result.status == 1
    assert result.json()["success"] is False
    assert "s3://bucket/x" in result.json()["goals"][0]["error"]


@pytest.mark.s3
def test_run_with_a_store_in_s3(tmp_path: Path, s3_server: S3Server) -> None:
    """What one run stored in S3, another one finds; saved files lie there as they are."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum", "sum.json": "sum"})
    url = s3_server.url()
    for computed in (2, 0):
        done = voxk8s(tmp_path, "run", plan, "--store", url, "--json", env=s3_server.env)
        assert (done.status, done.json()["operations"]["computed"]) == (0, computed)
    digest = done.json()["goals"][1]["digest"].removeprefix("sha256:")
    store = open_store(url, options=s3_server.options)
    assert store.read_blob(digest) == (tmp_path / "sum.json").read_bytes()


def test_help_starts_at_once(tmp_path: Path) -> None:
    """`--help` imports nothing heavy."""
    code = (
        "import sys\nfrom voxk8s.cli.__main__ import call\n"
        "try: call(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'msgspec', 'obstore', 'dask', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [PROGRAM[0], "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("[]\n")
    assert "submit" in done.stdout


@pytest.mark.parametrize("dashboard", [False, True], ids=["", "dashboard"])
def test_run_starts_dask_only_for_its_dashboard(tmp_path: Path, dashboard: bool) -> None:
    """A plan with and without images is computed on plain threads, else Dask is imported."""
    from tests.support.plans_and_runs import write_image

    write_image(tmp_path / "a.nii.gz", 3.0)
    text = 'import "vox1"\nload i = "a.nii.gz"\nprint "sum" 1 + 2\nprint "volume" volume(i >. 2)\n'
    (tmp_path / "p.imgql").write_text(text)
    code = (
        "import sys\nfrom voxk8s.cli.__main__ import call\n"
        "status = call(['run', '--no-cache', 'p.imgql'])\n"
        "print(status, sorted({'dask', 'distributed'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [PROGRAM[0], "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "VOXLOGICA_ENABLE_DASHBOARD": str(dashboard)},
    )
    modules = "['dask', 'distributed']" if dashboard else "[]"
    assert done.stdout.splitlines()[-1] == f"0 {modules}"
    assert done.stdout.startswith("sum=3.0\nvolume=30.0\n")


@pytest.mark.parametrize("command", ["run", "explain"])
def test_store_that_cannot_be_used_is_said_once_and_first(tmp_path: Path, command: str) -> None:
    """Status 1 and one message about the store, not about what was to be read; nothing runs."""
    program = 'import "vox1"\nload x = "gone.nii"\nprint "a" avg(x, x >. 0)\nprint "b" 1 + 2\n'
    (tmp_path / "p.imgql").write_text(program)
    away = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    done = voxk8s(tmp_path, command, "p.imgql", "--store", "s3://away/x", "--json", env=away)
    assert done.status == 1
    assert done.err.count("\n") == 1
    assert "the store s3://away/x: it does not answer" in done.err
    if command == "run":
        assert [goal["error"] for goal in done.json()["goals"]] == [done.err[8:-1]] * 2
        assert (
            voxk8s(tmp_path, "run", "p.imgql", "--no-cache", "--store", "s3://away/x", env=away).out
            == "b=3.0\n"
        )

"""`voxk8s run` and its like, called as programs: exit status, both outputs, files."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import PROGRAM, start, voxk8s
from tests.support.s3 import S3Server
from voxk8s.storage import open_store

Node = dict[str, Any]


def constant(name: str, value: object) -> Node:
    """Return a constant of a plan document."""
    return {"id": name, "type": "constant", "value": value}


def operation(name: str, operator: str, *arguments: str) -> Node:
    """Return an operation of a plan document."""
    numbered = {str(number): argument for number, argument in enumerate(arguments)}
    return {"id": name, "type": "operation", "operator": operator, "arguments": numbered}


def write_plan(
    folder: Path, nodes: list[Node], goals: Mapping[str, str], name: str = "plan.json"
) -> str:
    """Write a document; goals whose name has a dot are saved, others printed."""
    listed = [
        {"operation": "save" if "." in label else "print", "id": node, "name": label}
        for label, node in goals.items()
    ]
    (folder / name).write_text(json.dumps({"nodes": nodes, "goals": listed}))
    return name


SUM = [constant("two", 2), constant("three", 3), operation("sum", "addition", "two", "three")]
MIXED = [
    *SUM,
    constant("boom", "it broke"),
    operation("bad", "test.fail", "boom"),
    constant("where", "/nowhere/x.nii"),
    operation("image", "load", "where"),
]


def test_run_prints_values_and_writes_files(tmp_path: Path) -> None:
    """Standard output has `name=value` lines in goal order; files go below --output."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum", "a b": "two", "deep/sum.json": "sum"})
    done = voxk8s(tmp_path, "run", plan, "--output", "out")
    assert (done.status, done.out) == (0, "sum=5.0\na b=2\n")
    assert (tmp_path / "out" / "deep" / "sum.json").read_text() == "5.0\n"
    assert "operations" in done.err


def test_known_plan_computes_nothing_and_writes_its_files(tmp_path: Path) -> None:
    """A second run finds everything, and still writes files that are gone."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum", "sum.json": "sum"})
    assert voxk8s(tmp_path, "run", plan).status == 0
    (tmp_path / "sum.json").unlink()
    again = voxk8s(tmp_path, "run", plan, "--json")
    assert again.status == 0
    counts = again.json()["operations"]
    assert (counts["computed"], counts["failed"]) == (0, 0)
    assert counts["cached"] > 0
    assert (tmp_path / "sum.json").exists()


def test_json_tells_all_of_a_run_that_failed_in_part(tmp_path: Path) -> None:
    """One object: goals in order with value, path and digest, or error; counts and failures."""
    plan = write_plan(
        tmp_path, MIXED, {"sum": "sum", "broken": "bad", "img": "image", "sum.json": "sum"}
    )
    done = voxk8s(tmp_path, "run", plan, "--json")
    assert done.status == 1
    content = done.json()
    assert content["success"] is False
    good, broken, image, file = content["goals"]
    assert [goal["name"] for goal in content["goals"]] == ["sum", "broken", "img", "sum.json"]
    assert good["value"] == 5.0
    assert "it broke" in broken["error"]
    assert "/nowhere/x.nii" in image["error"]
    written = tmp_path / file["path"]
    assert file["digest"] == f"sha256:{hashlib.sha256(written.read_bytes()).hexdigest()}"
    assert set(content["operations"]) == {"total", "computed", "cached", "failed"}
    assert {failure["kernel"] for failure in content["failures"]} == {"test.fail", "default.load"}
    assert content["seconds"] >= 0


def test_lines_of_goals_that_failed_go_to_standard_error(tmp_path: Path) -> None:
    """Without --json, standard output keeps the goals that were reached."""
    plan = write_plan(tmp_path, MIXED, {"sum": "sum", "broken": "bad"})
    done = voxk8s(tmp_path, "run", plan, "-q")
    assert (done.status, done.out) == (1, "sum=5.0\n")
    assert "broken: " in done.err
    assert done.err.count("it broke") == 1


def test_bypass_leaves_the_store_alone(tmp_path: Path) -> None:
    """--no-cache neither reads nor writes results; files and digests are there all the same."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum", "sum.json": "sum"})
    for _ in range(2):
        done = voxk8s(tmp_path, "run", plan, "--no-cache", "--json")
        assert done.json()["operations"]["cached"] == 0
        assert done.json()["operations"]["computed"] > 0
    digest = hashlib.sha256((tmp_path / "sum.json").read_bytes()).hexdigest()
    assert done.json()["goals"][1]["digest"] == f"sha256:{digest}"
    stats = voxk8s(tmp_path, "store", "stats", "--json")
    assert stats.json()["records"] == 0


def test_refresh_computes_what_is_known(tmp_path: Path) -> None:
    """--refresh does everything again."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum"})
    voxk8s(tmp_path, "run", plan)
    done = voxk8s(tmp_path, "run", plan, "--refresh", "--json")
    assert done.json()["operations"] == {"total": 1, "computed": 1, "cached": 0, "failed": 0}


@pytest.mark.parametrize("words", [["run", "plan.json"], ["run", "nothing.json"], ["fly"]])
def test_wrong_calls_leave_standard_output_empty(tmp_path: Path, words: list[str]) -> None:
    """An invalid plan, a missing file and an unknown command: status 2 and a short message."""
    (tmp_path / "plan.json").write_text('{"nodes": [')
    done = voxk8s(tmp_path, *words)
    assert (done.status, done.out) == (2, "")
    assert 0 < len(done.err) < 1000


def test_file_that_leaves_the_output_folder_is_refused(tmp_path: Path) -> None:
    """With --output, `..` in the name of a file is an invalid plan."""
    plan = write_plan(tmp_path, SUM, {"../sum.json": "sum"})
    done = voxk8s(tmp_path, "run", plan, "--output", "out")
    assert (done.status, done.out) == (2, "")
    assert not (tmp_path / "sum.json").exists()


def test_program_runs_and_its_errors_have_places(tmp_path: Path) -> None:
    """An ImgQL program runs with parameters and imports; its errors begin with file and line."""
    (tmp_path / "lib.imgql").write_text("let twice(x) = x + x\n")
    program = tmp_path / "program.imgql"
    program.write_text('import "lib.imgql"\nprint "n" twice($N)\n')
    done = voxk8s(tmp_path, "run", "program.imgql", "--param", "N=21")
    assert (done.status, done.out) == (0, "n=42.0\n")
    program.write_text('print "n" twicee(1)\n')
    wrong = voxk8s(tmp_path, "check", "program.imgql")
    assert wrong.status == 2
    assert wrong.err.startswith("program.imgql:1:")


def test_failures_of_a_program_point_to_its_lines(tmp_path: Path) -> None:
    """An error of a kernel has file, line and column, also in loops, imports and inputs."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "half.imgql").write_text("// Halves\nlet half(x) = 1 / (x - 2)\n")
    (tmp_path / "program.imgql").write_text(
        'import "vox1"\nimport "lib/half.imgql"\n'
        'print "halves" for i in range(0, 4) do half(i)\n'
        'print "names" for name in dir(".", "*.txt", false, false) do\n  volume(load(name))\n'
        'print "fine" 1 + 1\n'
    )
    (tmp_path / "a.txt").write_text("no image")
    done = voxk8s(tmp_path, "run", "program.imgql", "--json")
    assert done.status == 1
    messages = [failure["message"] for failure in done.json()["failures"]]
    assert sorted(message.split(": ")[0] for message in messages) == [
        "lib/half.imgql:2:17",
        "program.imgql:5:10",
    ]
    errors = [goal.get("error", "") for goal in done.json()["goals"]]
    assert [bool(error) for error in errors] == [True, True, False]
    assert errors[0].startswith("lib/half.imgql:2:17: default.division")
    lines = done.err.splitlines()
    assert [line for line in lines if line.startswith("program.imgql:5:10: error: ")]
    assert "  let half(x) = 1 / (x - 2)" in lines
    (tmp_path / "a.txt").unlink()
    (tmp_path / "program.imgql").write_text(
        'import "strings"\nprint "n" for i in ["a", "b"] do\n  load(concat(i, ".nii"))\n'
    )
    missing = voxk8s(tmp_path, "run", "program.imgql")
    assert [line[:24] for line in missing.err.splitlines()].count("program.imgql:3:3: error") == 2


def test_only_ordinary_files_are_imported(tmp_path: Path) -> None:
    """A device may have no end."""
    (tmp_path / "program.imgql").write_text('import "/dev/zero"\nprint "x" 1\n')
    wrong = voxk8s(tmp_path, "check", "program.imgql")
    assert wrong.status == 2
    assert 'program.imgql:1:8: error: cannot import "/dev/zero"' in wrong.err
    assert "expected a regular file" in wrong.err


def test_check_tells_everything_at_once(tmp_path: Path) -> None:
    """All errors and warnings are printed from top to bottom; warnings alone are not a failure."""
    program = tmp_path / "program.imgql"
    program.write_text('import "voxx1"\nprint "x" 1 + 2 * 3\nprint "y" nera(1)\nprint "z" f(1\n')
    wrong = voxk8s(tmp_path, "check", "program.imgql")
    heads = [line.split(": ") for line in wrong.err.splitlines() if line.startswith("program")]
    assert (wrong.status, wrong.out) == (2, "")
    assert [(place.split(":")[1], severity) for place, severity, *_ in heads] == [
        ("1", "error"),
        ("2", "warning"),
        ("3", "error"),
        ("4", "error"),
    ]
    program.write_text('print "x" 1 + 2 * 3\n')
    warned = voxk8s(tmp_path, "check", "program.imgql")
    assert warned.status == 0
    assert "program.imgql:1:17: warning" in warned.err


def test_check_counts_what_nobody_reads(tmp_path: Path) -> None:
    """After the first errors there is a count of the others."""
    lines = "\n".join(f"let a{i} = near(b{i})" for i in range(30))
    (tmp_path / "program.imgql").write_text(lines)
    wrong = voxk8s(tmp_path, "check", "program.imgql")
    assert wrong.err.count(": error: ") == 20
    assert wrong.err.endswith("… and 40 more errors\n")


def test_editors_format_by_standard_input(tmp_path: Path) -> None:
    """`fmt -` reads a program from standard input and writes it formatted to standard output."""
    piped = voxk8s(tmp_path, "fmt", "-", given='print   "µ"  f( 2)')
    assert (piped.status, piped.out) == (0, 'print "µ" f(2)\n')
    assert voxk8s(tmp_path, "fmt", "--write", "-").status == 2
    wrong = voxk8s(tmp_path, "fmt", "-", given='print "x" f(2')
    assert (wrong.status, wrong.out) == (2, "")
    assert wrong.err.startswith("<stdin>:1:")


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_compiling_what_was_compiled_changes_nothing(tmp_path: Path, form: str) -> None:
    """The normal form of a program is a fixed point."""
    (tmp_path / "program.imgql").write_text('print "xs" for i in [1, 2, 3] do i * 2 + 1\n')
    first = voxk8s(tmp_path, "compile", "program.imgql", "--format", form)
    assert first.status == 0
    (tmp_path / f"again.{form}").write_text(first.out)
    second = voxk8s(tmp_path, "compile", f"again.{form}", "--format", form)
    assert second.out == first.out


def test_explain_follows_folders_and_computed_loops(tmp_path: Path) -> None:
    """Stored listings and sequences make their items known, too."""
    (tmp_path / "scans").mkdir()
    for name in ("a", "b"):
        (tmp_path / "scans" / f"{name}.json").write_text("[1, 2]")
    (tmp_path / "program.imgql").write_text(
        'import "strings"\n'
        'print "n" for file in dir("scans", "*.json", false, true) do load(file)[0] + 1\n'
        'print "m" for word in split("a b", " ") do load(concat("scans/", concat(word, ".json")))\n'
    )
    before = voxk8s(tmp_path, "explain", "program.imgql")
    assert "its input has no pin" not in before.out
    assert voxk8s(tmp_path, "run", "program.imgql").status == 0
    after = voxk8s(tmp_path, "explain", "program.imgql")
    assert "waits" not in after.out
    assert "0 to compute" in after.out


def test_explain_tells_what_is_known_and_why_not(tmp_path: Path) -> None:
    """Before a run everything is to be computed, after it the goal is known."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum"})
    before = voxk8s(tmp_path, "explain", plan, "--json").json()
    assert (before["compute"], before["known"]) == (1, 0)
    voxk8s(tmp_path, "run", plan)
    after = voxk8s(tmp_path, "explain", plan)
    assert (after.status, after.out.split()[0]) == (0, "known")


def test_interrupt_ends_at_once_with_130(tmp_path: Path) -> None:
    """Ctrl-C while an operation runs: status 130, no traceback, within a second or two."""
    plan = write_plan(
        tmp_path,
        [
            *SUM,
            constant("long", 60),
            operation("sleep", "test.sleep", "long"),
        ],
        {"sum": "sum", "slept": "sleep"},
    )
    process = start(tmp_path, "run", plan, "-vv")
    assert process.stderr is not None
    heard = ""
    for line in process.stderr:
        heard += line
        if "default.addition" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, heard + err
    assert out == ""
    assert "Traceback" not in err


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


@pytest.mark.parametrize("command", ["run", "explain"])
def test_store_that_cannot_be_used_is_said_once_and_first(tmp_path: Path, command: str) -> None:
    """Status 1 and one message about the store, not about what was to be read; nothing runs."""
    (tmp_path / "p.imgql").write_text('load x = "gone.nii"\nprint "a" x\nprint "b" 1 + 2\n')
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

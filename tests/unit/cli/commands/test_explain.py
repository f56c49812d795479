"""`voxk8s explain`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.cli import Done


def test_unknown_results_are_computed(call: Callable[..., Done], tmp_path: Path) -> None:
    """An operation without arguments to compute says that its result is missing."""
    (tmp_path / "p.imgql").write_text('print "a" 1 + 2\n')
    done = call("explain", "p.imgql", "--json").json()
    assert (done["total"], done["compute"], done["known"]) == (1, 1, 0)
    assert done["operations"][0]["state"] == "compute"
    assert done["operations"][0]["why"].startswith("no result of version")


def test_explain_computes_nothing(call: Callable[..., Done], tmp_path: Path) -> None:
    """A second call finds no result either."""
    (tmp_path / "p.imgql").write_text('print "a" 1 + 2\n')
    assert call("explain", "p.imgql") == call("explain", "p.imgql")
    assert call("store", "stats", "--json").json()["records"] == 0


def test_stored_results_are_known(call: Callable[..., Done], tmp_path: Path) -> None:
    """After a run the goal is known, and what only it needs is not listed, unless all are."""
    (tmp_path / "p.imgql").write_text('print "a" (1 + 2) * 3\n')
    assert call("run", "p.imgql").status == 0
    done = call("explain", "p.imgql")
    assert done.status == 0
    states = {line.split()[2]: line.split()[0] for line in done.out.splitlines()[:-1]}
    assert states == {"default.multiplication": "known"}
    assert ", 0 to compute, 1 not needed" in done.out
    assert "unneeded" in call("explain", "--all", "p.imgql").out


def test_results_that_have_to_be_computed_first_are_named(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """The reason of an operation has the arguments that must be computed, too."""
    (tmp_path / "p.imgql").write_text('print "a" (1 + 2) * 3\n')
    lines = call("explain", "p.imgql").out.splitlines()
    (line,) = [line for line in lines if "default.multiplication" in line]
    assert "default.addition" in line
    assert "must be computed, too" in line


def test_input_that_does_not_exist_has_its_reason(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """It is counted in the last line."""
    (tmp_path / "p.imgql").write_text('load x = "gone.nii"\nprint "a" x\n')
    done = call("explain", "p.imgql")
    lines = done.out.splitlines()
    assert done.status == 0
    assert lines[0].startswith("waits")
    assert "gone.nii: it does not exist" in lines[0]
    assert lines[-1].endswith(", 1 not known yet or failing")


def test_folders_and_stored_sequences_expand_loops(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """Once a sequence is stored, the inputs that its loop loads are known, too."""
    (tmp_path / "scans").mkdir()
    for name in ("a", "b"):
        (tmp_path / "scans" / f"{name}.json").write_text("[1, 2]")
    (tmp_path / "p.imgql").write_text(
        'import "strings"\n'
        'print "n" for file in dir("scans", "*.json", false, true) do load(file)[0] + 1\n'
        'print "m" for word in split("a b", " ") do load(concat("scans/", concat(word, ".json")))\n'
    )
    assert "needs the value of" in call("explain", "p.imgql").out
    assert call("run", "p.imgql").status == 0
    after = call("explain", "p.imgql")
    assert "waits" not in after.out
    assert "0 to compute" in after.out


def test_one_operation_is_counted_in_the_singular(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """The last line is a sentence also for one operation."""
    (tmp_path / "p.imgql").write_text('print "a" 1 + 2\n')
    assert call("explain", "p.imgql").out.splitlines()[-1].startswith("1 operation: 0 known")

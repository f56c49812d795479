"""`voxk8s check`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.cli import Done


def test_all_errors_and_warnings_are_printed(call: Callable[..., Done], tmp_path: Path) -> None:
    """They go to standard error, from top to bottom."""
    (tmp_path / "p.imgql").write_text(
        'import "voxx1"\nprint "x" 1 + 2 * 3\nprint "y" nera(1)\nprint "z" f(1\n'
    )
    done = call("check", "p.imgql")
    heads = [line.split(": ") for line in done.err.splitlines() if line.startswith("p.imgql:")]
    assert (done.status, done.out) == (2, "")
    assert [(place.split(":")[1], severity) for place, severity, *_ in heads] == [
        ("1", "error"),
        ("2", "warning"),
        ("3", "error"),
        ("4", "error"),
    ]


def test_warnings_alone_are_not_a_failure(call: Callable[..., Done], tmp_path: Path) -> None:
    """The exit status is 0."""
    (tmp_path / "p.imgql").write_text('print "x" 1 + 2 * 3\n')
    done = call("check", "p.imgql")
    assert done.status == 0
    assert "p.imgql:1:17: warning" in done.err


def test_many_errors_are_counted(call: Callable[..., Done], tmp_path: Path) -> None:
    """After the first errors there is a count of the others."""
    (tmp_path / "p.imgql").write_text("\n".join(f"let a{i} = near(b{i})" for i in range(30)))
    done = call("check", "p.imgql")
    assert done.err.count(": error: ") == 20
    assert done.err.endswith("… and 10 more errors\n")


def test_only_regular_files_are_imported(call: Callable[..., Done], tmp_path: Path) -> None:
    """A device may have no end."""
    (tmp_path / "p.imgql").write_text('import "/dev/zero"\nprint "x" 1\n')
    done = call("check", "p.imgql", "--allow-all")
    assert done.status == 2
    assert 'p.imgql:1:8: error: cannot import "/dev/zero"' in done.err
    assert "expected a regular file" in done.err


def test_missing_parameter_is_explained(call: Callable[..., Done], tmp_path: Path) -> None:
    """The help names the option and the field of a WorkPlan, or a parameter of a similar name."""
    (tmp_path / "p.imgql").write_text('load x = "$SCAN"\nprint "a" x\n')
    done = call("check", "p.imgql")
    assert done.status == 2
    text = "help: set it by --param SCAN=VALUE (in a WorkPlan: spec.source.parameters)"
    assert text in done.err
    assert "did you mean `$SCAM`?" in call("check", "p.imgql", "--param", "SCAM=x").err


def test_valid_plan_document_prints_nothing(call: Callable[..., Done], tmp_path: Path) -> None:
    """The exit status is 0."""
    (tmp_path / "plan.json").write_text('{"nodes": [], "goals": []}')
    assert call("check", "plan.json") == Done(0, "", "")


def test_first_error_of_a_plan_document_is_printed(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """With its path in the document."""
    (tmp_path / "plan.json").write_text('{"nodes": [], "goals": [{"x": 1}]}')
    done = call("check", "plan.json")
    assert (done.status, done.out) == (2, "")
    assert "$.goals[0]" in done.err

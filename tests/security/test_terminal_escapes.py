"""What a plan prints or names cannot give orders to the terminal of who looks at it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.cli import voxk8s

EVIL = "\x1b]0;owned\x07\x9b2J\u202egpj.nii"


def _harmless(text: str) -> bool:
    return all(sign.isprintable() or sign in "\n\t" for sign in text)


def test_output_of_a_run(tmp_path: Path) -> None:
    """Values, labels, errors and reports are shown with escapes."""
    (tmp_path / "a.json").write_text(f'["{EVIL.encode("unicode_escape").decode()}"]'.replace(
        "\\x", "\\u00"
    ))  # fmt: skip
    program = f'let a = load("a.json")[0]\nprint "{EVIL}" a\nprint "b" test.fail(a)\n'
    program += f'print "c" load("{EVIL}")\n'
    (tmp_path / "a.imgql").write_text(program)
    for words in ([], ["--json"], ["-v"]):
        done = voxk8s(tmp_path, "run", "a.imgql", "--report", "r.html", *words)
        assert done.status == 1
        assert "owned" in done.out
        assert _harmless(done.out), done.out
        assert _harmless(done.err), done.err
    assert _harmless((tmp_path / "r.html").read_text())


@pytest.mark.parametrize("command", ["check", "run"])
def test_errors_of_a_program(tmp_path: Path, command: str) -> None:
    """Lines of a program are quoted with escapes."""
    (tmp_path / "a.imgql").write_text(f'print "x" nothing("{EVIL}")\n')
    done = voxk8s(tmp_path, command, "a.imgql")
    assert done.status == 2
    assert "owned" in done.err
    assert _harmless(done.err)


def test_status() -> None:
    """Messages of a WorkPlan are of whoever made it."""
    from voxk8s.api.workplan import decode_resource
    from voxk8s.cli.workplan_text import details
    from voxk8s.redact import visible

    body = {
        "apiVersion": "voxk8s.io/v1alpha1",
        "kind": "WorkPlan",
        "metadata": {"name": "a", "namespace": "b"},
        "spec": {"source": {"program": "print \"x\" 1"}},
        "status": {"phase": "Failed", "reason": "OperationFailed", "message": EVIL},
    }  # fmt: skip
    lines = details(decode_resource(body), datetime.now(UTC))
    assert _harmless("\n".join(map(visible, lines)))

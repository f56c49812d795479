"""`voxk8s kernels` and `voxk8s help`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.cli import Done, voxk8s
from voxk8s.cli.kernel_help import entries


def test_all_that_programs_may_call_is_listed(call: Callable[..., Done]) -> None:
    """Kernels of all namespaces, functions of libraries and operators; not what the engine uses."""
    lines = call("kernels").out.splitlines()
    assert len(lines) == len(entries())
    names = {line.partition("(")[0] for line in lines}
    assert {"vox1.near", "default.load", "simpleitk.Abs", "vox1.ifB", "vox1.~>"} <= names
    assert not {"default.map", "voxk8s.save"} & names


def test_all_are_explained(tmp_path: Path) -> None:
    """Each has a signature and a sentence; in a process that knows only what is shipped."""
    found = voxk8s(tmp_path, "kernels", "--json", env={"VOXK8S_TEST_KERNELS": "0"}).json()
    assert len(found) > 400
    assert [each["name"] for each in found if not (each["text"] and each["signature"])] == []


def test_a_pattern_or_a_word_selects(call: Callable[..., Done]) -> None:
    """A pattern fits names; a word is looked for in texts too."""
    assert call("kernels", "dist?eq").out.startswith("vox1.distgeq(r: number, a: mask) -> mask")
    assert len(call("kernels", "dist*").out.splitlines()) == 4
    assert "vox1.maxvol" in call("kernels", "largest component").out


def test_help_explains_one_name(call: Callable[..., Done]) -> None:
    """With its operators and its definition; by name, qualified name or operator."""
    page = call("help", "through").out
    assert page.startswith("through(a: mask, b: mask) -> mask\n  kernel of vox1\n  operators: ~>\n")
    assert "Return" in page
    assert call("help", "vox1.geq_sv").out == call("help", "geq_sv").out
    assert "geq_sv" in call("help", ".<=").out
    assert "let ifB(c, t, e) =" in call("help", "ifB").out
    (found,) = call("kernels", "near", "--json").json()
    assert (found["name"], found["operators"]) == ("vox1.near", [])
    assert "Return" in found["definition"]
    assert found["example"].endswith("near(a)")


def test_help_has_an_example(call: Callable[..., Done]) -> None:
    """With its value; kernels of other packages have none."""
    page = call("help", "volume").out
    assert page.endswith('    print "vox1.volume" volume(a)  // 230.0\n')
    assert "Example" not in call("help", "test.identity").out


def test_an_unknown_name_has_a_suggestion(call: Callable[..., Done]) -> None:
    """And a status that says so."""
    done = call("help", "smoothn")
    assert (done.status, done.out) == (1, "")
    assert "did you mean smoothen?" in done.err

"""What an editor proposes at a place."""

from __future__ import annotations

import pytest

from voxk8s.cli.language_server.completion import call_hint, proposals
from voxk8s.cli.language_server.document import Document, analyse


def _no_file(path: str) -> str:
    raise FileNotFoundError(path)


def _analyse(text: str) -> Document:
    return analyse("a.imgql", text, _no_file, {})


_DOCUMENT = _analyse(
    "let th = 0.5\nlet part(image, from) = intensity(image) >. from\nlet other(second) = second\n"
)


def _labels(line: int, before: str, files: tuple[str, ...] = ()) -> list[str]:
    return [each.label for each in proposals(_DOCUMENT, line, before, files)]


def test_names_of_the_program_come_first() -> None:
    """Then kernels, then keywords; each once."""
    found = _labels(4, "let x = ")

    assert found[:3] == ["th", "part", "other"]
    assert found.index("touch") < found.index("let")
    assert len(found) == len(set(found))


def test_parameters_are_proposed_where_they_are_bound() -> None:
    """Those of another definition are not."""
    found = _labels(2, "let part(image, from) = ")

    assert {"image", "from"} <= set(found)
    assert "second" not in found


def test_kernels_have_their_signature() -> None:
    """And the name by which their definition is found."""
    (touch,) = (each for each in proposals(_DOCUMENT, 4, "to", ()) if each.label == "touch")

    assert touch.detail.startswith("touch(")
    assert touch.qualified == "vox1.touch"


def test_a_namespace_proposes_its_kernels_only() -> None:
    """`strings.` is followed by a name of it."""
    found = _labels(4, "let x = strings.con")

    assert "concat" in found
    assert "touch" not in found
    assert "let" not in found


def test_imports_propose_namespaces_and_files() -> None:
    """The program itself is not among them."""
    found = _labels(4, 'import "', ("a.imgql", "lib.imgql"))

    assert {"vox1", "simpleitk", "lib.imgql"} <= set(found)
    assert "a.imgql" not in found


@pytest.mark.parametrize("before", ['print "to', "let a = 1 // to", 'save "a\\"b'])
def test_nothing_is_proposed_in_strings_and_comments(before: str) -> None:
    """Nobody calls a kernel there."""
    assert _labels(4, before) == []


@pytest.mark.parametrize(
    ("before", "signature", "active"),
    [
        ("let a = part(x, ", "part(image, from)", 1),
        ("let a = part(", "part(image, from)", 0),
        ("let a = part(touch(a, b), ", "part(image, from)", 1),
        ("let a = part([1, 2], (3, 4), ", "part(image, from)", 2),
        ('let a = part("(,", ', "part(image, from)", 1),
    ],
)
def test_a_call_says_which_parameter_is_written(before: str, signature: str, active: int) -> None:
    """Calls, sequences and strings inside it do not count."""
    hint = call_hint(_DOCUMENT, before)

    assert hint is not None
    assert (hint.signature, hint.active) == (signature, active)


def test_parameters_of_one_name_have_their_own_places() -> None:
    """An editor marks the one that is written."""
    hint = call_hint(_DOCUMENT, "let a = touch(x, ")

    assert hint is not None
    assert hint.signature.startswith("touch(")
    starts = [start for start, _ in hint.spans()]
    assert starts == sorted(set(starts))
    assert hint.qualified == "vox1.touch"


@pytest.mark.parametrize("before", ["let a = (1, ", "for x in (", "let a = nothing(", "a)"])
def test_what_is_no_call_of_a_known_name_has_no_hint(before: str) -> None:
    """Parentheses alone, keywords and unknown names."""
    assert call_hint(_DOCUMENT, before) is None


def test_long_lines_are_completed_in_linear_time() -> None:
    """Words and open brackets without end; in quadratic time these would take hours."""
    assert "let" in _labels(1, "let a = " + "_" * 200_000 + " + ")
    assert call_hint(_analyse(""), "touch(" + "(1 + " * 100_000) is not None

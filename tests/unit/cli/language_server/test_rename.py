"""A rename changes a name and nothing else."""

from __future__ import annotations

import pytest

from voxk8s.cli.language_server.document import analyse
from voxk8s.cli.language_server.rename import renamed
from voxk8s.errors import InvalidUsage

_PROGRAM = """\
let f(a, b) = a + b
let c = f(1, 2)
let $KIND = 3
print "c" c + volume(constant(1)) + avg0(intensity(x), bconstant(true))
load x = "x.nii.gz"
"""


def _no_file(path: str) -> str:
    raise FileNotFoundError(path)


def _renamed(line: int, column: int, new: str, text: str = _PROGRAM) -> list[tuple[int, int]]:
    values = {"KIND": "kind"}
    document = analyse("a.imgql", text, _no_file, values)
    use = document.name_at(line, column)
    found = renamed(document, use, new, _no_file, values)
    return [(each.line, each.column) for each in found]


@pytest.mark.parametrize(("line", "column"), [(1, 5), (2, 9)])
def test_all_places_of_a_name_are_returned(line: int, column: int) -> None:
    """Asked for at the definition or at a use."""
    assert _renamed(line, column, "plus") == [(1, 5), (2, 9)]


def test_a_parameter_is_renamed_in_its_body_only() -> None:
    """Other definitions may use the letter."""
    assert _renamed(1, 7, "first") == [(1, 7), (1, 15)]


@pytest.mark.parametrize(
    ("line", "column", "new", "reason"),
    [
        (1, 7, "b", "b already means something here"),
        (1, 5, "volume", "volume already means something here"),
        (1, 5, "let", "no keyword"),
        (1, 5, "a b", "expected letters"),
        (4, 16, "size", "is a kernel of voxk8s"),
        (3, 6, "other", "comes from a parameter on line 3"),
        (6, 1, "other", "no name here"),
    ],
)
def test_what_would_change_the_meaning_is_refused(
    line: int, column: int, new: str, reason: str
) -> None:
    """Captured names, keywords, kernels, and names that parameters make."""
    with pytest.raises(InvalidUsage, match=reason):
        _renamed(line, column, new)


def test_names_of_other_files_and_libraries_are_refused() -> None:
    """The message says where to rename them."""
    files = {"/p/lib.imgql": "let twice(a) = a + a\n"}
    text = 'import "lib"\nimport "stdlib"\nprint "x" twice(1)\nlet y = N(tt)\n'
    document = analyse("/p/a.imgql", text, files.__getitem__, {})
    with pytest.raises(InvalidUsage, match=r"defined in /p/lib.imgql: rename it there"):
        renamed(document, document.name_at(3, 12), "double", files.__getitem__, {})
    with pytest.raises(InvalidUsage, match="in a library of voxk8s"):
        renamed(document, document.name_at(4, 9), "near", files.__getitem__, {})


def test_a_rename_makes_no_new_errors() -> None:
    """Two parameters of one name are one, and a right program would become a wrong one."""
    with pytest.raises(InvalidUsage, match="a already means something here"):
        _renamed(1, 10, "a", "let f(a, b) = b\n")

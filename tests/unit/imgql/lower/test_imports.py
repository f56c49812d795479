"""Tests of imports and parameters: the files of a program."""

from __future__ import annotations

import pytest

from tests.support.imgql import compile_error, compile_text, expression, goal_text
from voxk8s.errors import InvalidProgram
from voxk8s.imgql import compile_program
from voxk8s.kernels import registry, symbols


def test_a_file_replaces_its_import() -> None:
    """Its definitions and goals are inserted in place of the import."""
    files = {"lib.imgql": 'let two = 2\nprint "l" two'}
    text = 'print "a" 1\nimport "lib.imgql"\nprint "b" two + 1'
    assert goal_text(text, files=files) == "1.0\n2.0\naddition(2.0, 1.0)"


def test_paths_are_relative_to_the_importing_file() -> None:
    """A file in a folder imports its neighbours by their names."""
    files = {
        "p/lib/a.imgql": 'import "b.imgql"\nlet a = b',
        "p/lib/b.imgql": "let b = 7",
        "p/c.imgql": "let c = 8",
    }
    text = 'import "lib/a.imgql"\nimport "./lib/../c.imgql"\nprint "x" a + c'
    plan = compile_text(text, files=files, name="p/main.imgql").plan
    assert len(plan.nodes) == 3


def test_a_file_is_imported_once() -> None:
    """Two imports of one file are one."""
    files = {"a.imgql": 'print "a" 1', "b.imgql": 'import "a.imgql"'}
    text = 'import "a.imgql"\nimport "b.imgql"\nimport "a.imgql"'
    assert goal_text(text, files=files) == "1.0"


def test_circular_imports_are_refused() -> None:
    """The message has the cycle."""
    files = {"a.imgql": 'import "b.imgql"', "b.imgql": 'import "a.imgql"'}
    message = compile_error('import "a.imgql"', files=files)
    assert "b.imgql:1:8: error: circular import: a.imgql -> b.imgql -> a.imgql" in message


def test_errors_in_imported_files_have_their_place() -> None:
    """File, line and column are those of the imported file."""
    message = compile_error('import "a.imgql"', files={"a.imgql": "\nlet a = foo"})
    assert "a.imgql:2:9: error: unknown name `foo`" in message


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("vox2", 'did you mean "vox1"?'),
        ("missing.imgql", "no such file"),
        ("", "not a namespace"),
    ],
)
def test_unknown_imports_are_refused(target: str, message: str) -> None:
    """The target is neither a namespace nor a file; the nearest namespace is suggested."""
    assert message in compile_error(f'import "{target}"', files={})


def test_the_suffix_of_an_imported_file_may_be_omitted() -> None:
    """A file of exactly this name comes before one with the suffix."""
    files = {"lib.imgql": "let a = 1", "plain": "let a = 2", "plain.imgql": "let a = 3"}
    assert goal_text('import "lib"\nprint "x" a', files=files) == "1.0"
    assert goal_text('import "plain"\nprint "x" a', files=files) == "2.0"


def test_files_of_the_package_are_imported_like_others() -> None:
    """Files of the user come before those of the package."""
    text = 'import "RegionCalculus"\nload a = "a.nii"\nprint "x" {}'
    assert "leqB" not in goal_text(text.format("p(a, a)"))
    assert (
        goal_text(text.format("p(1, 2)"), files={"RegionCalculus.imgql": "let p(a, b) = b"})
        == "2.0"
    )
    assert "no such file" in compile_error('import "stdlib2.imgql"', files={})


def test_a_program_of_version_1_needs_no_import() -> None:
    """If images are loaded by the `load` command and nothing is imported, `vox1` is."""
    text = 'load a = "a.nii"\nprint "x" volume(N a >. 3)'
    assert goal_text(text) == "volume(gt_sv(3.0, near(load('a.nii'))))"
    assert compile_text(text).plan.imports == ("vox1",)


def test_a_program_without_files_may_import_namespaces_only() -> None:
    """Without `read_file` the message says that files cannot be imported."""
    assert "files cannot be imported here" in compile_error('import "a.imgql"')


@pytest.mark.parametrize(
    "error",
    [OSError("disk"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), ValueError("null byte")],
)
def test_files_that_cannot_be_read_are_errors_of_the_import(error: Exception) -> None:
    """Any error while reading has the place of the import."""

    def fail(_: str) -> str:
        raise error

    with pytest.raises(InvalidProgram, match=r'1:8: error: cannot import "a\.imgql"'):
        compile_program('import "a.imgql"', index=registry(), symbols=symbols, read_file=fail)


def test_the_reason_of_an_os_error_is_its_text() -> None:
    """The error number and the path, which the message has already, are omitted."""

    def fail(path: str) -> str:
        raise IsADirectoryError(21, "Is a directory", path)

    with pytest.raises(InvalidProgram, match="and as a file: Is a directory\n"):
        compile_program('import "a"', index=registry(), symbols=symbols, read_file=fail)


def test_an_import_in_a_comment_reads_nothing() -> None:
    """Only imports of the program are read."""
    assert goal_text('// import "a.imgql"\nprint "x" 1', files={}) == "1.0"


def test_operators_with_letters_are_known_across_files() -> None:
    """`B+` may be defined in another file than the one that uses it."""
    files = {"a.imgql": "let A+(x) = x * 2"}
    assert goal_text('import "a.imgql"\nprint "x" A+ 3', files=files) == "multiplication(3.0, 2.0)"


def test_a_name_of_the_program_precedes_an_operator_of_the_library() -> None:
    """If B is a value, `B+1` is a sum."""
    assert goal_text('import "stdlib.imgql"\nlet B = 2\nprint "x" B+1') == "addition(2.0, 1.0)"


def test_parameters_are_replaced_in_imported_files_too() -> None:
    """`$NAME` has the same value in every file of a program."""
    files = {"a.imgql": "let img$C = $V"}
    text = 'import "a.imgql"\nprint "$C" img$C'
    plan = compile_text(text, files=files, parameters={"C": "7", "V": "-2"}).plan
    assert plan.goals[0].name == "7"


def test_missing_parameters_are_errors_with_their_line() -> None:
    """All that are missing are reported, with the nearest that is given."""
    message = compile_error('let a = $FOO\nprint "$BAR" a', parameters={"FOOO": "1"})
    assert "1:9: error: no value for the parameter `$FOO`" in message
    assert "did you mean `$FOOO`?" in message
    assert "2:8: error: no value for the parameter `$BAR`" in message


def test_a_program_knows_its_own_name() -> None:
    """Relative to the current folder, so that plans do not depend on the machine."""
    text = 'print "x" [$stem, $file, $filename, $dir, $cwd]\nprint "y" "$dir/$stem.nii"'
    plan = compile_text(text, name="study/case 1.imgql", parameters={}).plan
    assert [expression(plan.nodes, goal.id) for goal in plan.goals] == [
        "sequence('case 1', 'case 1.imgql', 'case 1.imgql', 'study', '.')",
        "'study/case 1.nii'",
    ]

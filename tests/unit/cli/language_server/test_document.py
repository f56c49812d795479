"""What an editor learns of a text, whatever state it is in."""

from __future__ import annotations

import pytest

from voxk8s.cli.language_server.document import Document, analyse

_PROGRAM = """\
// the brighter part
let part(image, from) =
  let over = intensity(image) >. from in
  touch(over, over)
load scan = "$FOLDER/scan.nii.gz"
let core = part(scan, 0.8)
print "core" volume(core)
save "core.nii.gz" core
"""


def _no_file(path: str) -> str:
    raise FileNotFoundError(path)


def _analyse(text: str, **values: str) -> Document:
    return analyse("a.imgql", text, _no_file, values)


def test_parameters_without_a_value_hide_nothing() -> None:
    """They are remarked where they stand first, and all else is checked."""
    found = _analyse(_PROGRAM + "let wrong = voluma(core)\n")

    parameter, error = sorted(found.problems, key=lambda each: each.line)
    assert parameter.severity == "information"
    assert (parameter.line, parameter.column, parameter.width) == (5, 14, len("$FOLDER"))
    assert "--param FOLDER=VALUE" in parameter.message
    assert error.severity == "error"
    assert "unknown name `voluma`" in error.message
    assert "did you mean `volume`?" in error.message


def test_known_values_are_not_remarked() -> None:
    """The editor's settings may give them; `$stem` and the like have values."""
    assert _analyse(_PROGRAM + 'print "$stem" 1\n', FOLDER="/data").problems == ()


@pytest.mark.parametrize(
    ("line", "column", "name", "declared"),
    [
        (4, 9, "over", (3, 7)),
        (3, 24, "image", (2, 10)),
        (6, 13, "part", (2, 5)),
        (6, 17, "scan", (5, 6)),
        (8, 24, "core", (6, 5)),
    ],
)
def test_names_know_where_they_are_declared(
    line: int, column: int, name: str, declared: tuple[int, int]
) -> None:
    """Parameters, inner definitions, loaded images and definitions, also at the end of a name."""
    use = _analyse(_PROGRAM).name_at(line, column)

    assert use is not None
    assert use.declared is not None
    assert (use.name, (use.declared.line, use.declared.column)) == (name, declared)


def test_names_of_kernels_have_their_qualified_name() -> None:
    """Operators are names, too."""
    document = _analyse(_PROGRAM)

    volume, over = document.name_at(7, 15), document.name_at(3, 31)

    assert volume is not None
    assert volume.kernel == "vox1.volume"
    assert over is not None
    assert over.kernel == "vox1.gt_sv"


def test_uses_of_a_name_are_those_of_its_declaration() -> None:
    """A parameter of the same name elsewhere is another one."""
    document = _analyse('let f(a) = a + 1\nlet g(a) = a + f(a)\nprint "x" g(1)\n')
    use = document.name_at(2, 7)
    assert use is not None

    places = [(each.place.line, each.place.column) for each in document.uses_of(use)]

    assert places == [(2, 7), (2, 12), (2, 18)]


def test_commands_say_where_they_begin_and_end() -> None:
    """Definitions with their parameters, and goals."""
    commands = _analyse(_PROGRAM).commands

    assert [(each.kind, each.header, each.line, each.last_line) for each in commands] == [
        ("function", "let part(image, from)", 2, 4),
        ("value", "let scan", 5, 5),
        ("value", "let core", 6, 6),
        ("goal", 'print "core"', 7, 7),
        ("goal", 'save "core.nii.gz"', 8, 8),
    ]


def test_an_error_of_an_imported_file_is_shown_at_its_import() -> None:
    """It says where it is."""
    found = analyse(
        "/p/a.imgql", 'let a = 1\nimport "lib"\n', {"/p/lib.imgql": "let b =\n"}.__getitem__, {}
    )

    (problem,) = found.problems
    assert (problem.line, problem.column, problem.width) == (2, 1, len('import "lib"'))
    assert problem.message.startswith("lib.imgql:")


def test_names_of_imported_files_are_known() -> None:
    """Their places name the file."""
    files = {"/p/lib.imgql": "let twice(a) = a + a\n"}
    found = analyse("/p/a.imgql", 'import "lib"\nprint "x" twice(1)\n', files.__getitem__, {})

    use = found.name_at(2, 12)

    assert use is not None
    assert use.declared is not None
    assert (use.declared.file, use.declared.line) == ("/p/lib.imgql", 1)
    assert found.texts["/p/lib.imgql"] == files["/p/lib.imgql"]


def test_a_program_that_cannot_be_read_is_one_problem() -> None:
    """Values of parameters may make it too large."""
    found = analyse("a.imgql", "let a = $P\n" * 20, _no_file, {"P": "1" * 10**6})

    assert [each.severity for each in found.problems] == ["error"]
    assert found.names == ()


def test_half_written_programs_have_problems_inside_the_text() -> None:
    """Whatever is typed so far, each problem and name is at a place that exists."""
    for length in range(0, len(_PROGRAM), 5):
        text = _PROGRAM[:length]
        lines = text.split("\n")
        found = _analyse(text)
        spans = [(each.line, each.column, each.width) for each in found.problems]
        places = [use.place for use in found.names]
        for line, column, width in [*spans, *((p.line, p.column, p.length) for p in places)]:
            assert 1 <= line <= len(lines)
            assert column + width - 2 <= len(lines[line - 1])

"""The examples of kernels: every name has one, with all that it needs."""

from __future__ import annotations

from voxk8s.cli.kernel_examples import definitions, examples
from voxk8s.cli.kernel_help import entries
from voxk8s.imgql.lower.global_scope import SHIPPED


def test_every_name_has_an_example() -> None:
    """And there is no example of anything else."""
    known = {each.qualified for each in entries() if each.namespace in ("default", *SHIPPED)}
    assert set(examples()) == known


def test_an_example_calls_what_it_is_for() -> None:
    """By its name or by one of its operators."""
    missing = [
        each.qualified
        for each in entries()
        if each.qualified in examples()
        and not any(
            sign in examples()[each.qualified].expression
            for sign in (each.name, *each.operators, "[")
        )
    ]
    assert missing == []


def test_an_example_is_a_whole_program() -> None:
    """It has the definitions that it uses, in their order, and the namespaces."""
    example = examples()["vox1.volume"]
    assert (example.expression, example.value) == ("volume(a)", "230.0")
    program = example.program().splitlines()
    assert [line.partition(" = ")[0] for line in program] == [
        'import "vox1"',
        'import "geom"',
        "let page",
        "let scan",
        "let a",
        'print "vox1.volume" volume(a)  // 230.0',
    ]


def test_an_example_without_images_is_one_line_with_its_import() -> None:
    """What it does not use is left out."""
    assert examples()["strings.split"].program() == (
        'import "strings"\nprint "strings.split" split("a,b,c", ",")  // ["a","b","c"]'
    )
    assert "let head" in definitions()

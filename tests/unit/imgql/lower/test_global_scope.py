"""Tests of the names outside functions: which hides which."""

from __future__ import annotations

from tests.support.imgql import check_text, compile_text, goal_text
from voxk8s.imgql import check_program
from voxk8s.imgql.lower.global_scope import SHIPPED
from voxk8s.kernels import registry, symbols
from voxk8s.kernels.kernel_spec import make_spec
from voxk8s.kernels.registry import KernelRegistry
from voxk8s.plan import Digest, Pin, ResultKey, inputs, key_graph


def test_a_prefix_operator_does_not_hide_the_infix_one() -> None:
    """A definition of a prefix operator leaves the infix one as it is."""
    text = 'let -(a) = a * 2\nprint "a" 3 - 1\nprint "b" - (1 + 1)'
    assert goal_text(text) == "subtraction(3.0, 1.0)\nmultiplication(addition(1.0, 1.0), 2.0)"


def test_later_definitions_hide_earlier_ones() -> None:
    """A name refers to the last definition before it."""
    text = 'let a = 1\nlet b = a\nlet a = a + 1\nprint "x" a\nprint "y" b'
    assert goal_text(text) == "addition(1.0, 1.0)\n1.0"


def test_definitions_hide_kernels() -> None:
    """After a definition its name no longer refers to the kernel; inside it still does."""
    text = 'print "a" floor(1)\nlet floor(x) = floor(x) + 1\nprint "b" floor(2)'
    assert goal_text(text) == "floor(1.0)\naddition(floor(2.0), 1.0)"


def test_definitions_may_follow_their_use() -> None:
    """A name that nothing above defines refers to a later definition."""
    assert goal_text('let a = b + 1\nlet b = 2\nprint "x" a') == "addition(2.0, 1.0)"


def key(text: str) -> ResultKey | None:
    """Return the result key of a program's goal, all inputs pinned to one digest."""
    plan = compile_text(text).plan
    pins = {each.id: Pin("a", Digest("0" * 64), 1) for each in inputs(plan, registry())}
    (goal,) = key_graph(plan, registry(), pins=pins).goals
    return goal.key


def test_names_are_found_without_an_import() -> None:
    """Kernels, operators and library definitions of this package, under the keys of an import."""
    text = 'let a = load("a.nii")\nprint "x" [volume(N a) .*. 2, count_pixels(Abs(a), 1)]'
    assert goal_text(text) == (
        "sequence(vox1.num_mul(vox1.volume(vox1.near(load('a.nii'))), 2.0),"
        " arrays.count_pixels(simpleitk.Abs(load('a.nii')), 1.0))"
    )
    imported = f'import "vox1"\nimport "arrays"\nimport "simpleitk"\n{text}'
    assert key(text) == key(imported) is not None


def test_what_is_imported_or_defined_comes_before_what_is_not() -> None:
    """The program's own definitions first, also those that follow, then its imports."""
    assert goal_text('print "x" near(1)\nlet near(a) = a + 1') == "addition(1.0, 1.0)"
    assert goal_text('print "x" fillholes(load("a.nii"))') == "vox1.fillholes(load('a.nii'))"
    assert goal_text('import "strings"\nprint "x" concat(1)') == "concat(1.0)"
    assert goal_text('let near(a) = near(a)\nprint "x" near(load("a.nii"))') == (
        "vox1.near(load('a.nii'))"
    )


def test_no_name_is_in_two_namespaces_of_this_package() -> None:
    """So no program without imports is ambiguous."""
    homes: dict[str, set[str]] = {}
    for qualified in registry().names():
        namespace, _, name = qualified.rpartition(".")
        if namespace in ("default", *SHIPPED):
            homes.setdefault(name, set()).add(namespace)
    assert [name for name, found in homes.items() if len(found) > 1] == []


def test_a_name_without_its_import_is_remarked_once() -> None:
    """In a program that imports other namespaces; version 1 had no imports."""
    text = 'let a = load("a.nii")\nprint "x" volume(near(a))'
    assert not check_text(text)
    (found,) = check_text(f'import "strings"\n{text}')
    assert found.severity == "warning"
    assert (found.message, found.hints[0]) == (
        "`volume` is found in vox1, which is not imported",
        'import "vox1" says where it comes from',
    )


def test_a_name_of_two_imports_is_named() -> None:
    """The first one is taken, with a warning that says how to write the other."""
    one = make_spec("one.blur", "image -> image", "", "")
    other = make_spec("other.blur", "image -> image", "", "")
    index = KernelRegistry({spec.signature.qualified: spec for spec in (one, other)})
    text = 'import "other"\nimport "one"\nlet f(a) = blur(blur(a))'
    (found,) = check_program(text, index=index, symbols=symbols)
    assert found.message == "`blur` may mean other.blur or one.blur; other.blur is taken"
    assert found.hints[0].startswith("write one.blur for the other one")

"""Tests of the kernels on text."""

from __future__ import annotations

import pytest

from tests.support.images import call
from voxk8s.errors import KernelError
from voxk8s.values import Value


def test_concat_takes_anything() -> None:
    """Arguments are joined as print shows them."""
    assert call("strings.concat", "a", 5.0, 3, True, [1, "x"]) == 'a5.03true[1,"x"]'


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("case_{:03d}.nii", 7.0), "case_007.nii"),
        (("{} of {}", 1, 2.5), "1 of 2.5"),
        (("{1}{0}", "a", "b"), "ba"),
        (("{:.2f}", 1), "1.00"),
        (("{:>5}|", "a"), "    a|"),
        (("{{}} {}", True), "{} true"),
        (("{!s} {!r} {!r} {!a:>6}", True, [1, "x"], "ü", "a"), "true [1,\"x\"] 'ü'    'a'"),
        (("{}", [1, 2]), "[1,2]"),
        (("{:c}{}", 0x1F9E0, "ü"), "🧠ü"),
    ],
)
def test_templates(arguments: tuple[Value, ...], expected: str) -> None:
    """Fields are filled by position, in Python's notation."""
    assert call("strings.format_string", *arguments) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("{}",),
        ("{:d}", "a"),
        ("{:d}", 1.5),
        ("{0.__class__}", "a"),
        ("{0[0]}", "abc"),
        ("{name}", 1),
        ("{:{}}", 1, 100_000),
        ("{:99999999}", 1),
        ("{", 1),
        ("{:c}", 1e10),
        ("{:c}", 0xD800),
        (3.0,),
    ],
)
def test_wrong_templates_are_refused(arguments: tuple[Value, ...]) -> None:
    """Missing and wrong arguments, looks into objects and huge fields are errors."""
    with pytest.raises(KernelError, match="format_string"):
        call("strings.format_string", *arguments)


def test_equals_and_split() -> None:
    """Texts compare whole, and split at every separator."""
    assert call("strings.equals", "a", "a") is True
    assert call("strings.equals", "5.0", 5.0) is True
    assert call("strings.split", "a,b,,c") == ["a", "b", "", "c"]
    assert call("strings.split", "a - b", " - ") == ["a", "b"]
    with pytest.raises(KernelError, match="separator"):
        call("strings.split", "a", "")
    with pytest.raises(KernelError, match="expected a string"):
        call("strings.split", 3)

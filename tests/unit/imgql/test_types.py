"""Tests of types: joins, clashes, and the types of literals."""

from __future__ import annotations

import pytest

from voxk8s.imgql import types


@pytest.mark.parametrize(
    ("kinds", "joined"),
    [
        ([], "any"),
        (["number", "number"], "number"),
        (["image", "mask"], "image"),
        (["sequence<number>", "sequence<string>"], "sequence"),
        (["string", "string<image>"], "string"),
        (["number", "string"], "any"),
        (["number", "any"], "any"),
    ],
)
def test_the_join_is_the_narrowest_type_of_all(kinds: list[str], joined: str) -> None:
    """Types without a common one join to `any`."""
    assert types.join(kinds) == joined


@pytest.mark.parametrize(
    ("wanted", "given", "clash"),
    [
        ("number", "bool", False),
        ("mask", "image", False),
        ("number|string", "string<image>", False),
        ("sequence", "sequence<number>", False),
        ("any", "image", False),
        ("image", "any", False),
        ("number", "image", True),
        ("number|string", "sequence", True),
    ],
)
def test_only_types_that_never_fit_clash(wanted: str, given: str, clash: bool) -> None:
    """An image may be a mask, a truth value is a number, and `any` may be all."""
    assert types.clashes(wanted, given) is clash


def test_item_types_nest_three_deep() -> None:
    """Deeper ones are not known, so that types remain finite."""
    kind = "number"
    for _ in range(3):
        kind = types.sequence_of(kind)
    assert kind == "sequence<sequence<sequence<number>>>"
    assert types.item_of(kind) == "sequence<sequence<number>>"
    assert types.sequence_of(kind) == "sequence"
    assert types.item_of("sequence") == "any"


@pytest.mark.parametrize(
    ("text", "kind"),
    [("a.nii.gz", "string<image>"), ("a.PNG", "string<image>"), ("a.json", "string")],
)
def test_the_suffix_of_a_string_may_name_an_image(text: str, kind: str) -> None:
    """Upper case and `.gz` do not matter."""
    assert types.string_type(text) == kind


def test_what_is_loaded_is_an_image_unless_it_is_a_document() -> None:
    """A URL that is not known may be either."""
    assert types.load_type("s3://b/a") == "image"
    assert types.load_type("a.csv") == "any"
    assert types.load_type(None) == "any"

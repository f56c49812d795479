"""Base class of the resource's types, and annotations of their fields."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from voxk8s.api.base import OPAQUE, ApiStruct, Json, doc, number


class Example(ApiStruct, frozen=True):
    """A type with a limited and an opaque field."""

    max_count: Annotated[int, number("A number.", 0, 5)] = 2
    anything: Annotated[Json, doc("Any value.", **OPAQUE)] = None


def test_names_are_in_camel_case_and_defaults_are_omitted() -> None:
    """Fields that equal their default are not encoded."""
    assert msgspec.to_builtins(Example(max_count=3)) == {"maxCount": 3}


def test_limits_are_checked_when_decoding() -> None:
    """A value outside of the annotated limits raises ValidationError with its path."""
    with pytest.raises(msgspec.ValidationError, match=r"maxCount"):
        msgspec.convert({"maxCount": 6}, Example)


def test_extras_become_schema_keys() -> None:
    """Underscores of schema extras become hyphens."""
    extras = doc("Any value.", **OPAQUE).extra_json_schema
    assert extras == {"x-kubernetes-preserve-unknown-fields": True}

"""Structural schemas of types."""

from __future__ import annotations

from typing import Annotated

import pytest

from voxk8s.api.base import ApiStruct, items, number, text
from voxk8s.api.openapi_schema import schema_of
from voxk8s.api.spec import WorkPlanSpec


class Example(ApiStruct, frozen=True):
    """A type with a field of each kind."""

    some_name: Annotated[str, text("A name.", 10, 1)]
    count: Annotated[int, number("A number.", 0, 5)] = 2
    parts: Annotated[tuple[str, ...], items("A list.", 3)] | None = None


def test_limits_descriptions_and_defaults() -> None:
    """Names are in camelCase; limits, descriptions and defaults are those of the annotations."""
    assert schema_of(Example) == {
        "type": "object",
        "required": ["someName"],
        "properties": {
            "someName": {
                "type": "string",
                "minLength": 1,
                "maxLength": 10,
                "description": "A name.",
            },
            "count": {
                "type": "integer",
                "format": "int64",
                "minimum": 0,
                "maximum": 5,
                "default": 2,
                "description": "A number.",
            },
            "parts": {
                "type": "array",
                "maxItems": 3,
                "items": {"type": "string"},
                "description": "A list.",
            },
        },
    }


def test_type_without_a_schema() -> None:
    """A type that a structural schema cannot express raises TypeError."""

    class Strange(ApiStruct, frozen=True):
        """Has a field of bytes."""

        field: bytes

    with pytest.raises(TypeError, match="structural schema"):
        schema_of(Strange)


def test_default_objects_are_complete() -> None:
    """The default of an object contains the defaults of its fields, which CEL rules need."""
    cluster = schema_of(WorkPlanSpec)["properties"]["cluster"]
    assert cluster["default"] == {"minWorkers": 0, "maxWorkers": 8, "threadsPerWorker": 4}

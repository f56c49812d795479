"""What all types of the resource share: camelCase names, and helpers to annotate their schema.

A field's annotation is the single source of its OpenAPI schema, its description in
`kubectl explain`, and its check when a resource is decoded.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = Any
"""Any JSON value: what the API server keeps as it is, and others check."""

Extras: TypeAlias = dict[str, Any]
"""Parts of an OpenAPI schema, passed through to the CRD as they are."""


class ApiStruct(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, dict=False
):
    """Base of the resource's types.

    Fields that are equal to their default are left out when encoded: give a field that must always
    be written no default.
    """


def doc(description: str, **extras: Any) -> msgspec.Meta:
    """Describe a field; `extras` are added to its schema with `_` read as `-`."""
    schema = {name.replace("_", "-"): value for name, value in extras.items()}
    return msgspec.Meta(description=description, extra_json_schema=schema or None)


def text(description: str, most: int, least: int | None = None) -> msgspec.Meta:
    """Describe a string (or its characters' limit) of at most `most` characters."""
    return msgspec.Meta(description=description, max_length=most, min_length=least)


def items(description: str, most: int, **extras: Any) -> msgspec.Meta:
    """Describe an array of at most `most` items."""
    schema = {name.replace("_", "-"): value for name, value in extras.items()}
    return msgspec.Meta(description=description, max_length=most, extra_json_schema=schema or None)


def number(description: str, least: int | None = None, most: int | None = None) -> msgspec.Meta:
    """Describe a number within limits."""
    return msgspec.Meta(description=description, ge=least, le=most)


OPAQUE: dict[str, Any] = {"x_kubernetes_preserve_unknown_fields": True}
"""Keyword arguments for `doc`: the API server keeps whatever stands below the field."""

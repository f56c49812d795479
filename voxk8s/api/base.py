"""Base class of the resource's types, and helpers to annotate their fields.

A field's annotation is the single source of its OpenAPI schema, its description in
`kubectl explain`, and its validation when a resource is decoded.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = Any
"""Any JSON value; the API server keeps it unvalidated."""


class ApiStruct(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, dict=False
):
    """Base class of the resource's types: frozen, with camelCase names in JSON.

    Fields that equal their default are omitted when encoded, so a field that must always be encoded
    must not have a default.
    """


def doc(description: str, **extras: Any) -> msgspec.Meta:
    """Annotate a field; `extras` are added to its schema, with `_` replaced by `-`."""
    schema = {name.replace("_", "-"): value for name, value in extras.items()}
    return msgspec.Meta(description=description, extra_json_schema=schema or None)


def text(description: str, most: int, least: int | None = None) -> msgspec.Meta:
    """Annotate a string of `least` to `most` characters."""
    return msgspec.Meta(description=description, max_length=most, min_length=least)


def items(description: str, most: int, **extras: Any) -> msgspec.Meta:
    """Annotate an array of at most `most` items."""
    schema = {name.replace("_", "-"): value for name, value in extras.items()}
    return msgspec.Meta(description=description, max_length=most, extra_json_schema=schema or None)


def by_key(*names: str) -> dict[str, Any]:
    """Return arguments for `items`: server-side apply merges the items with equal keys.

    Other lists are atomic, as in a Pod tolerations are: their items have no key.
    """
    return {"x_kubernetes_list_type": "map", "x_kubernetes_list_map_keys": list(names)}


def number(description: str, least: int | None = None, most: int | None = None) -> msgspec.Meta:
    """Annotate a number from `least` to `most`."""
    return msgspec.Meta(description=description, ge=least, le=most)


OPAQUE: dict[str, Any] = {"x_kubernetes_preserve_unknown_fields": True}
"""Arguments for `doc`: the API server keeps unknown fields below this field."""

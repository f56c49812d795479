"""Structural OpenAPI schemas, as Kubernetes requires, generated from msgspec types."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

Schema: TypeAlias = dict[str, Any]


def schema_of(kind: type) -> Schema:
    """Return the schema of a type, without references; raises TypeError if it has none."""
    return _convert(inspect.type_info(kind))


def _convert(kind: inspect.Type) -> Schema:
    match kind:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return _convert(inner) | (extra or {})
        case inspect.UnionType(types=types):
            return _union(types)
        case inspect.StructType():
            return _struct(kind)
        case inspect.StrType():
            return _limits(
                {"type": "string"},
                minLength=kind.min_length,
                maxLength=kind.max_length,
                pattern=kind.pattern,
            )
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.IntType():
            return _limits(
                {"type": "integer", "format": "int64"},
                minimum=kind.ge,
                maximum=kind.le,
            )
        case inspect.FloatType():
            return _limits({"type": "number"}, minimum=kind.ge, maximum=kind.le)
        case inspect.DateTimeType():
            return {"type": "string", "format": "date-time"}
        case inspect.LiteralType(values=values):
            return {"type": "string", "enum": sorted(map(str, values))}
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            return _limits(
                {"type": "array", "items": _convert(item)}, minItems=least, maxItems=most
            )
        case inspect.DictType(value_type=inspect.AnyType()):
            return {"type": "object"}
        case inspect.DictType(value_type=value):
            return {"type": "object", "additionalProperties": _convert(value)}
        case inspect.AnyType():
            return {}
        case _:
            raise TypeError(f"{kind!r} cannot be expressed in a structural schema")


def _union(types: tuple[inspect.Type, ...]) -> Schema:
    """Return the schema of a union: of its only type besides None, else one without a type."""
    kinds = [kind for kind in types if not isinstance(kind, inspect.NoneType)]
    if len(kinds) == 1:
        return _convert(kinds[0])
    return {}


def _struct(kind: inspect.StructType) -> Schema:
    properties: Schema = {}
    for field in kind.fields:
        schema = _convert(field.type)
        default = _default(field, schema)
        if default is not None:
            schema["default"] = default
        properties[field.encode_name] = schema
    required = sorted(field.encode_name for field in kind.fields if field.required)
    return {"type": "object", "properties": properties} | (
        {"required": required} if required else {}
    )


def _default(field: inspect.Field, schema: Schema) -> Any:
    """Return the default that the API server sets, or None.

    The default of an object contains the defaults of its fields: CEL rules see the object before
    the API server sets those.
    """
    value = field.default
    if value in (msgspec.NODEFAULT, msgspec.UNSET, None, ()):
        return None
    if isinstance(value, msgspec.Struct):
        parts = schema["properties"].items()
        return {name: part["default"] for name, part in parts if "default" in part}
    return value


def _limits(schema: Schema, **limits: Any) -> Schema:
    return schema | {name: value for name, value in limits.items() if value is not None}

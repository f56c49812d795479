"""OpenAPI schemas, as structural as Kubernetes wants them, made from the types of this package."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

Schema: TypeAlias = dict[str, Any]


def schema_of(kind: type) -> Schema:
    """Make the schema of a type: no references, no unions but with None, every limit kept."""
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
            raise TypeError(f"{kind!r} has no place in a CRD")


def _union(types: tuple[inspect.Type, ...]) -> Schema:
    """Drop None, for what may be left out; a real choice has no type of its own."""
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
    """Give what the API server fills in; None for nothing.

    A default object is written out whole: rules look at it before its own defaults are filled in.
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

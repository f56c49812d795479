"""The schema of inline plans."""

from __future__ import annotations

from msgspec import inspect

from voxk8s.api.plan_schema import PLAN_SCHEMA
from voxk8s.plan.document import wire


def fields(*forms: type) -> set[str]:
    """Return the names of the fields of some forms, that of their tag included."""
    names: set[str] = set()
    for form in forms:
        info = inspect.type_info(form)
        assert isinstance(info, inspect.StructType)
        names |= {field.encode_name for field in info.fields}
        names |= {info.tag_field} if info.tag_field else set()
    return names


def test_schema_has_the_fields_of_plan_documents() -> None:
    """`kubectl explain` goes down to every field that a plan document may have."""
    nodes = PLAN_SCHEMA["properties"]["nodes"]["items"]["properties"]
    forms = (wire.ConstantForm, wire.OperationForm, wire.ParameterForm, wire.ClosureForm)
    assert set(nodes) == fields(*forms) - {"buffer_id"}
    assert set(PLAN_SCHEMA["properties"]) == fields(wire.Document)
    assert set(PLAN_SCHEMA["properties"]["goals"]["items"]["properties"]) == fields(wire.GoalForm)

"""CEL rules of the CRD; `tests/chart` evaluates them on an API server."""

from __future__ import annotations

import re
from typing import Any

import pytest

from voxk8s.api import cel_rules
from voxk8s.api.openapi_schema import schema_of
from voxk8s.api.spec import Cluster, Output, Source, Store, WorkPlanSpec


@pytest.mark.parametrize(
    ("rules", "kind"),
    [
        (cel_rules.SOURCE, Source),
        (cel_rules.CLUSTER, Cluster),
        (cel_rules.STORE, Store),
        (cel_rules.BUCKET, Output),
    ],
)
def test_rules_name_existing_fields(rules: list[dict[str, Any]], kind: type) -> None:
    """Every field in an expression or a field path exists in the schema."""
    fields = schema_of(kind)["properties"]
    for rule in rules:
        named = re.findall(r"(?:self|oldSelf)\.([A-Za-z]+)", rule["rule"])
        named += [rule["fieldPath"].lstrip(".")] if "fieldPath" in rule else []
        assert set(named) <= set(fields), rule


def test_immutable_fields_of_the_spec_exist() -> None:
    """Rules of the whole WorkPlan refer to fields of the spec by their JSON names."""
    fields = schema_of(WorkPlanSpec)["properties"]
    for rule in cel_rules.WORK_PLAN:
        assert set(re.findall(r"self\.spec\.([A-Za-z]+)", rule["rule"])) <= set(fields)


def test_rules_have_messages() -> None:
    """Each rule explains what is wrong."""
    rules = [*cel_rules.SOURCE, *cel_rules.CLUSTER, *cel_rules.STORE, *cel_rules.WORK_PLAN]
    assert all(rule["message"] for rule in rules)

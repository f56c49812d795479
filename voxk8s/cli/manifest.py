"""Files with Kubernetes resources: find the source of their WorkPlan. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec

from voxk8s.api.spec import Expected, Source
from voxk8s.api.workplan import convert
from voxk8s.constants import KIND
from voxk8s.errors import InvalidPlan, InvalidUsage
from voxk8s.plan.document.wire import to_bytes
from voxk8s.plan.expectation import Expectation

PROGRAM = ".imgql"
_NEXT = re.compile(r"^---(?=\s|$)", re.MULTILINE)

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A plan document or program in a manifest; `suffix` says which.

    Error messages begin with `name`; a program may import `files`.
    """

    text: str
    suffix: str
    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def read_resources(text: str, *, yaml: bool) -> list[Resource] | None:
    """Return the Kubernetes resources in a file, or None if it holds something else.

    Every YAML document and every item of a List is one resource. Raises InvalidPlan for a file with
    resources that cannot be parsed.
    """
    if "kind" not in text:
        return None
    found: list[Resource] = []
    for content in _documents(text) if yaml else (_json(text),):
        if not isinstance(content, dict) or "kind" not in content:
            if content is None:
                continue
            if found:
                raise InvalidPlan("expected only Kubernetes resources, found no kind")
            return None
        items = content.get("items") if str(content["kind"]).endswith("List") else None
        parts = items if isinstance(items, list) else [content]
        found.extend(part for part in parts if isinstance(part, dict))
    return found or None


def work_plan(resources: list[Resource], file: str) -> Resource:
    """Return the only WorkPlan of a file; raises InvalidUsage if there are none or several."""
    plans = [each for each in resources if each.get("kind") == KIND]
    if len(plans) == 1:
        return plans[0]
    if not plans:
        kinds = ", ".join(sorted({str(each.get("kind")) for each in resources}))
        raise InvalidUsage(f"{file}: expected a WorkPlan, found {kinds}")
    names = ", ".join(_name(each) for each in plans)
    raise InvalidUsage(
        f"{file}: expected one WorkPlan, found {len(plans)} ({names}); use a file for each"
    )


def find_source(resources: list[Resource], file: str) -> Text | Mapping[str, Any]:
    """Return the plan document or program of a file's WorkPlan; a mapping is an inline plan.

    Raises InvalidPlan for an invalid source, and InvalidUsage for one outside of the file.
    """
    resource = work_plan(resources, file)
    source = _source(resource)
    parameters = source.parameters or {}
    if source.plan is not None:
        if parameters:
            raise InvalidPlan(
                "expected no parameters beside a plan",
                "$.spec.source.parameters",
            )
        return source.plan
    if source.program is not None:
        return Text(source.program, PROGRAM, "program", parameters)
    if source.config_map_ref is not None:
        name, key = source.config_map_ref.name, source.config_map_ref.key
        data = _config_map(resources, name, file)
        if key not in data:
            keys = ", ".join(sorted(data)) or "none"
            raise InvalidUsage(f"ConfigMap {name} in {file} has no key {key} (its keys: {keys})")
        suffix = f".{key.rpartition('.')[2].lower()}"
        files = {other: text for other, text in data.items() if other != key}
        return Text(data[key], suffix, key, parameters, files)
    raise InvalidUsage(
        f"the source of WorkPlan {_name(resource)} is {source.url}, which is read only in the"
        f" cluster: use voxk8s submit {file}"
    )


def find_on_item_failure(resources: list[Resource], file: str) -> str:
    """Return what a WorkPlan does with items that fail, in lower case; raises InvalidPlan."""
    spec = work_plan(resources, file).get("spec")
    given = spec.get("onItemFailure", "Fail") if isinstance(spec, dict) else "Fail"
    if given not in ("Fail", "Skip"):
        raise InvalidPlan(f"expected Fail or Skip, found {given!r}", "$.spec.onItemFailure")
    return str(given).lower()


def find_expected(resources: list[Resource], file: str) -> tuple[Expectation, ...]:
    """Return the values that a file's WorkPlan expects of its goals; raises InvalidPlan."""
    spec = work_plan(resources, file).get("spec")
    given = spec.get("expect") if isinstance(spec, dict) else None
    if given is not None and not isinstance(given, list):
        raise InvalidPlan("expected a list", "$.spec.expect")
    found = [
        convert(each, Expected, f"$.spec.expect[{index}]") for index, each in enumerate(given or ())
    ]
    for index, each in enumerate(found):
        for name, value in (("value", each.value), ("within", each.within)):
            if isinstance(value, float) and not math.isfinite(value):
                raise InvalidPlan(
                    f"expected a finite number, found {value}: NaN and infinities are equal to"
                    " nothing here; print what they are compared with, and expect true or false",
                    f"$.spec.expect[{index}].{name}",
                )
    return tuple(Expectation(each.goal, each.value, each.within) for each in found)


def _source(resource: Resource) -> Source:
    spec = resource.get("spec")
    given = spec.get("source") if isinstance(spec, dict) else None
    if not isinstance(given, dict):
        raise InvalidPlan(f"WorkPlan {_name(resource)} has no source", "$.spec.source")
    source = convert(given, Source, "$.spec.source")
    ways = (source.plan, source.program, source.config_map_ref, source.url)
    if sum(way is not None for way in ways) != 1:
        raise InvalidPlan(
            "expected exactly one of plan, program, configMapRef and url", "$.spec.source"
        )
    return source


def _config_map(resources: list[Resource], name: str, file: str) -> dict[str, str]:
    for resource in resources:
        if resource.get("kind") == "ConfigMap" and _name(resource) == name:
            data = resource.get("data")
            if isinstance(data, dict):
                return {str(key): str(text) for key, text in data.items()}
    raise InvalidUsage(
        f"the source is in ConfigMap {name}, which is not in {file}: add it to the file, or run"
        f" the WorkPlan in a cluster (voxk8s submit {file})"
    )


def _name(resource: Resource) -> str:
    metadata = resource.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return str(name or "without a name")


def _documents(text: str) -> Iterator[object]:
    """Parse YAML documents one by one; line numbers count from the start of the file."""
    # Imported here: programs and JSON need no YAML library.
    from voxk8s.plan.document.yaml_reader import read_yaml

    starts = [0, *(match.start() for match in _NEXT.finditer(text)), len(text)]
    for start, end in pairwise(starts):
        part = text[start:end]
        if part.strip():
            yield read_yaml("\n" * text.count("\n", 0, start) + part)


def _json(text: str) -> object:
    try:
        return msgspec.json.decode(to_bytes(text))
    except (msgspec.DecodeError, InvalidPlan, RecursionError):
        return None  # errors are reported when it is read as a plan document

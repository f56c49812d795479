"""Decodes WorkPlans for the informer: without their plans, and tolerant of other versions. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from voxk8s.api.spec import Source
from voxk8s.api.workplan import WorkPlanResource, convert, decode_status
from voxk8s.errors import InvalidPlan

_EMPTY: Mapping[str, Any] = {"plan": {}, "program": ""}
"""What stands for inline plans and programs."""
KEPT_BYTES: Final = 4096
"""Length of the sources that are kept until a WorkPlan has its first status: it is looked up before
that, and a request for each of many small ones would take longer than all else."""
KEPT_WITHIN: Final = 65_536
"""Length of the WorkPlans whose sources are kept: larger ones are read, which tells their size."""


class UndecodableWorkPlan(WorkPlanResource, frozen=True, kw_only=True):
    """A WorkPlan whose spec does not decode: its CRD is older or less strict than this operator.

    `spec` is empty; `decode_error` has the error and its path.
    """

    decode_error: str


class NewWorkPlan(WorkPlanResource, frozen=True, kw_only=True):
    """A WorkPlan without a status of the operator; `source_text` is its small source as JSON."""

    source_text: str


def decode_slim(raw: msgspec.Raw) -> dict[str, Any]:
    """Decode the text of a WorkPlan without its inline plan or program, which may have megabytes.

    These are not even decoded: of 120 WorkPlans of 1 MB in a list only their heads take memory.
    The text of a small source stays with it as long as it has no conditions: one that another
    controller manages may never have any.
    """
    try:
        body = _fields(raw)
        body["metadata"] = _decoded(_fields(body["metadata"]), leave_out="managedFields")
        spec = _fields(body.pop("spec"))
        text = spec.pop("source")
        source = _fields(text)
    except (msgspec.ValidationError, KeyError):
        # An unusual object: `decode_workplan` says what is wrong with it.
        whole: dict[str, Any] = msgspec.json.decode(raw)
        return whole
    source = {name: _EMPTY.get(name, value) for name, value in source.items()}
    found = _decoded(body) | {"spec": _decoded(spec) | {"source": _decoded(source)}}
    is_new = not (found.get("status") or {}).get("conditions") and "managedBy" not in spec
    if is_new and len(text) <= KEPT_BYTES and len(raw) <= KEPT_WITHIN:
        found["sourceText"] = bytes(text).decode()
    return found


def decode_workplan(body: Mapping[str, Any]) -> WorkPlanResource:
    """Decode a WorkPlan and drop its inline plan or program, which may be large.

    The plan is read again from the API server when it is resolved. Fields of the status that do
    not decode are dropped.
    """
    data = {**body, "status": _decodable(body.get("status") or {})}
    kind = NewWorkPlan if "sourceText" in data else WorkPlanResource
    try:
        resource = convert(data, kind)
    except InvalidPlan as error:
        data |= {"spec": {"source": {}}, "decodeError": str(error)}
        return msgspec.convert(data, UndecodableWorkPlan)
    source = resource.spec.source
    if source.plan is None and source.program is None:
        return resource
    slim: Source = msgspec.structs.replace(
        source,
        plan={} if source.plan is not None else None,
        program="" if source.program is not None else None,
    )
    spec = msgspec.structs.replace(resource.spec, source=slim)
    return msgspec.structs.replace(resource, spec=spec)


def kept_source(workplan: WorkPlanResource) -> str | None:
    """Return the source of a WorkPlan as JSON; None if it was not kept."""
    return workplan.source_text if isinstance(workplan, NewWorkPlan) else None


def _decodable(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the status without the fields that do not decode."""
    try:
        decode_status(status)
    except InvalidPlan:
        return {name: value for name, value in status.items() if _is_decodable(name, value)}
    return status


def _is_decodable(name: str, value: object) -> bool:
    try:
        decode_status({name: value})
    except InvalidPlan:
        return False
    return True


def _fields(text: Any) -> dict[str, Any]:
    """Return the fields of a JSON object, their values still as text."""
    fields: dict[str, Any] = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    return fields


def _decoded(fields: Mapping[str, Any], leave_out: str = "") -> dict[str, Any]:
    """Return fields with their values decoded as far as they are text."""
    return {
        name: msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value
        for name, value in fields.items()
        if name != leave_out
    }

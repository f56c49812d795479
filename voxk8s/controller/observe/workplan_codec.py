"""A WorkPlan as the operator keeps it: without its plan, and told when it cannot be read. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from voxk8s.api import Source, WorkPlanResource, decode_resource, decode_status
from voxk8s.errors import InvalidPlan


class UnreadableWorkPlan(WorkPlanResource, frozen=True, kw_only=True):
    """A WorkPlan whose spec cannot be read: its CRD is older or looser than this operator.

    `spec` is empty; `flaw` says what is wrong, and where.
    """

    flaw: str


def decode_workplan(thing: Mapping[str, Any]) -> WorkPlanResource:
    """Read a WorkPlan without its plan, which may be large and is read when it is looked up.

    What cannot be read of a status is as if it had never been written.
    """
    body = {**thing, "status": _readable(thing.get("status") or {})}
    try:
        resource = decode_resource(body)
    except InvalidPlan as error:
        body |= {"spec": {"source": {}}, "flaw": str(error)}
        return msgspec.convert(body, UnreadableWorkPlan)
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


def _readable(status: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        decode_status(status)
    except InvalidPlan:
        return {name: value for name, value in status.items() if _is_readable(name, value)}
    return status


def _is_readable(name: str, value: object) -> bool:
    try:
        decode_status({name: value})
    except InvalidPlan:
        return False
    return True

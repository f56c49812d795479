"""The WorkPlan resource as a whole, and its way from and to what the API server speaks."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from voxk8s.api.base import ApiStruct
from voxk8s.api.object_meta import ObjectMeta, OwnerReference
from voxk8s.api.spec import WorkPlanSpec
from voxk8s.api.status import WorkPlanStatus
from voxk8s.constants import API_VERSION, KIND
from voxk8s.errors import InvalidPlan

_T = TypeVar("_T", bound=ApiStruct)

FRESH = WorkPlanStatus()
"""Status of a WorkPlan that nobody has looked at: the CRD's default."""


class WorkPlanResource(ApiStruct, frozen=True):
    """A WorkPlan as it stands in the cluster."""

    metadata: ObjectMeta
    spec: WorkPlanSpec
    status: WorkPlanStatus = FRESH
    api_version: str = API_VERSION
    kind: str = KIND

    @property
    def finished(self) -> bool:
        """Whether the WorkPlan has come to its end, in success or in failure."""
        return self.status.completion_time is not None

    def owner_reference(self) -> OwnerReference:
        """How children name this WorkPlan as their owner."""
        return OwnerReference(
            api_version=API_VERSION,
            kind=KIND,
            name=self.metadata.name,
            uid=self.metadata.uid,
            controller=True,
            block_owner_deletion=True,
        )


def decode_resource(document: Mapping[str, Any]) -> WorkPlanResource:
    """Read a WorkPlan as the API server gives it; unknown fields are ignored.

    Raises InvalidPlan with the path of the field: possible only where the cluster's CRD is older
    or looser than this package.
    """
    return _convert(document, WorkPlanResource)


def decode_status(document: Mapping[str, Any]) -> WorkPlanStatus:
    """Read a status alone; raises InvalidPlan with the path of the field."""
    return _convert(document, WorkPlanStatus)


def encode(value: ApiStruct) -> dict[str, Any]:
    """Turn a type of this package into plain JSON data; what is None is left out."""
    data: dict[str, Any] = msgspec.to_builtins(value)
    return data


def _convert(document: Mapping[str, Any], kind: type[_T]) -> _T:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        raise InvalidPlan(message, path.rstrip("`") or "$") from error

"""The WorkPlan resource, decoded from and encoded to JSON objects of the API server."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from voxk8s.api.base import ApiStruct
from voxk8s.api.spec import Source, WorkPlanSpec
from voxk8s.api.status import RETRY_TOKEN_LENGTH, WorkPlanStatus
from voxk8s.constants import ANNOTATION_RETRY, API_VERSION, KIND
from voxk8s.errors import InvalidPlan

_T = TypeVar("_T", bound=ApiStruct)

INITIAL_STATUS = WorkPlanStatus()
"""Status of a new WorkPlan: the CRD's default."""


class OwnerReference(ApiStruct, frozen=True):
    """The owner of an object, with which Kubernetes deletes it."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(ApiStruct, frozen=True):
    """Metadata of an object; other fields are ignored."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()


class WorkPlanResource(ApiStruct, frozen=True):
    """A WorkPlan object of the cluster."""

    metadata: ObjectMeta
    spec: WorkPlanSpec
    status: WorkPlanStatus = INITIAL_STATUS
    api_version: str = API_VERSION
    kind: str = KIND

    @property
    def finished(self) -> bool:
        """Whether the WorkPlan has succeeded or failed, and is not to run again."""
        return self.status.completion_time is not None and not self.retry_requested

    @property
    def retry_token(self) -> str | None:
        """The value of the annotation that asks for another run, or None."""
        return self.metadata.annotations.get(ANNOTATION_RETRY, "")[:RETRY_TOKEN_LENGTH] or None

    @property
    def retry_requested(self) -> bool:
        """Whether a WorkPlan that has ended is asked to run again: the annotation has changed."""
        token, status = self.retry_token, self.status
        return status.completion_time is not None and token not in (None, status.retry)

    def owner_reference(self) -> OwnerReference:
        """Return the owner reference of the WorkPlan's children."""
        return OwnerReference(
            api_version=API_VERSION,
            kind=KIND,
            name=self.metadata.name,
            uid=self.metadata.uid,
            controller=True,
            block_owner_deletion=True,
        )


def decode_resource(document: Mapping[str, Any]) -> WorkPlanResource:
    """Decode a WorkPlan; unknown fields are ignored.

    Raises InvalidPlan with the path of the field, which can happen only if the CRD in the cluster
    has another version than this package.
    """
    return convert(document, WorkPlanResource)


def decode_source(text: str) -> Source:
    """Decode the JSON text of spec.source; raises InvalidPlan with the path of the field."""
    return convert(msgspec.json.decode(text), Source, "$.spec.source")


def decode_status(document: Mapping[str, Any]) -> WorkPlanStatus:
    """Decode a status; raises InvalidPlan with the path of the field."""
    return convert(document, WorkPlanStatus)


def encode(value: ApiStruct) -> dict[str, Any]:
    """Return an object as JSON data; fields that equal their default are omitted."""
    data: dict[str, Any] = msgspec.to_builtins(value)
    return data


def convert(document: Mapping[str, Any], kind: type[_T], path: str = "$") -> _T:
    """Return JSON data at `path` as a type of this package; raises InvalidPlan with its path.

    msgspec gives the path of an error as a part of its message only.
    """
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        message, _, below = str(error).partition(" - at `$")
        raise InvalidPlan(message, f"{path}{below.rstrip('`')}") from error

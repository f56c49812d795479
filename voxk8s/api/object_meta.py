"""The fields of Kubernetes' ObjectMeta that voxk8s uses."""

from datetime import datetime

import msgspec

from voxk8s.api.base import ApiStruct


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

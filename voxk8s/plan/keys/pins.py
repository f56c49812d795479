"""Inputs: which ones a plan reads, and the digests that their contents are pinned to."""

from __future__ import annotations

import msgspec

from voxk8s.plan.model import Digest, OperationId, Scalar
from voxk8s.plan.signature import Role


class Pin(msgspec.Struct, frozen=True):
    """The digest and size of an input's content.

    For a folder `entries` is the listing, and digest and size are those of the listing.
    """

    url: str
    digest: Digest
    size: int
    entries: tuple[str, ...] | None = None


class InputRef(msgspec.Struct, frozen=True):
    """An input that goals need: a `load` or a listing with the values of its arguments.

    `id` is the operation's id with those values as constants; pins are looked up by it.
    """

    id: OperationId
    role: Role
    arguments: tuple[Scalar, ...]
    operator: str = ""

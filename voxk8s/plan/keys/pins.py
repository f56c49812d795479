"""External inputs: which ones a plan reads, and what their contents are pinned to."""

from __future__ import annotations

import msgspec

from voxk8s.plan.model import Digest, OperationId, Scalar
from voxk8s.plan.signature import Role


class Pin(msgspec.Struct, frozen=True):
    """What an external input is: the digest and size of its content.

    For a folder `entries` is the listing, and digest and size are those of the listing.
    """

    url: str
    digest: Digest
    size: int
    entries: tuple[str, ...] | None = None


class InputRef(msgspec.Struct, frozen=True):
    """An input that goals need: a `load` or a listing with the values of its arguments.

    `id` is the operation's id with those values written as constants; pins are given by it.
    """

    id: OperationId
    role: Role
    arguments: tuple[Scalar, ...]
    operator: str = ""

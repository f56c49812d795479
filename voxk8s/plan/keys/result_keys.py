"""Result keys: the SHA-256 of what a node computes, the contents of inputs included.

Every pre-image is a canonical JSON object whose member "voxk8s" is the kind of the key and the
version of this scheme, so that keys of different kinds never collide. Paths, URLs, runs and users
are in none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256

from voxk8s.constants import PICTURE_SUFFIXES, TABLE_MEDIA_TYPES
from voxk8s.plan.canonical import canonical, digest, quote, scalar_text
from voxk8s.plan.kernel_version import KernelVersion
from voxk8s.plan.model import Digest, OperationId, ResultKey, Scalar

SAVE_KERNEL = "voxk8s.save"
"""Kernel name of `save` goals in keys and records."""
_SECOND_LAYOUT = PICTURE_SUFFIXES | TABLE_MEDIA_TYPES.keys()
SAVE_VERSION = 1
"""Version of the file encoders, for an index that does not know `SAVE_KERNEL`."""


def constant_key(value: Scalar) -> ResultKey:
    """Return the key of a constant."""
    # As in `operation_key`, without two more calls.
    text = '{"value":' + scalar_text(value) + ',"voxk8s":"constant/v1"}'
    return sha256(text.encode()).hexdigest()  # type: ignore[return-value]


@cache
def kernel_tail(kernel: str, version: KernelVersion) -> str:
    """Return the canonical text of the members that all operations of one kernel share.

    A kernel without a version number has the member "code" in its place, and a kernel whose values
    libraries define has these with their versions.
    """
    members: dict[str, object] = {"kernel": kernel, "voxk8s": "operation/v1"}
    if version.code:
        members["code"] = version.code
    else:
        members["version"] = version.number
    if version.libraries:
        members["libraries"] = dict(version.libraries)
    return canonical(members)[1:]


def operation_key(tail: str, arguments: Sequence[ResultKey]) -> ResultKey:
    """Return the key of an operation; `tail` is its kernel's `kernel_tail`."""
    # Without calls of `digest` and `ResultKey`: a large plan spends a tenth of its time in them.
    text = f'{{"arguments":{_listed(arguments)},{tail}'
    return sha256(text.encode()).hexdigest()  # type: ignore[return-value]


def input_key(
    kernel: str, version: int, content: Digest, arguments: Sequence[ResultKey]
) -> ResultKey:
    """Return the key of an input; `arguments` are those after the first, its address."""
    return ResultKey(
        digest(
            f'{{"arguments":{_listed(arguments)},"content":{quote(content)},'
            f'"kernel":{quote(kernel)},"version":{version},"voxk8s":"input/v1"}}'
        )
    )


def save_key(version: int, suffix: str, argument: ResultKey) -> ResultKey:
    """Return the key of a value encoded as a file.

    Pictures and tables have a second layout: in the first one pictures did not follow the axes of
    the body, and tables were one line of JSON.
    """
    layout = "save/v2" if suffix in _SECOND_LAYOUT else "save/v1"
    return ResultKey(
        digest(
            f'{{"arguments":{_listed((argument,))},"kernel":{quote(SAVE_KERNEL)},'
            f'"suffix":{quote(suffix)},"version":{version},"voxk8s":"{layout}"}}'
        )
    )


def save_location_id(operation: OperationId, suffix: str) -> OperationId:
    """Return the id under which source locations list the saving of an operation's value."""
    return OperationId(digest(f'{{"save":{quote(suffix)},"voxk8s":{quote(operation)}}}'))


def file_suffix(name: str) -> str:
    """Return the suffix of a file name that selects its encoder: lower case, or empty."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].lower()
    if last.endswith(".nii.gz"):
        return ".nii.gz"
    stem, dot, suffix = last.rpartition(".")
    return dot + suffix if stem else ""


def _listed(keys: Sequence[ResultKey]) -> str:
    return '["' + '","'.join(keys) + '"]' if keys else "[]"

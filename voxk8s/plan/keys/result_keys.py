"""Result keys: the SHA-256 of what a node computes, the contents of inputs included.

Every pre-image is a canonical JSON object whose member "voxk8s" says what kind of thing it names
and in which version of this scheme, so that keys of different kinds never meet. Paths, URLs, runs
and users are in none of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.plan.canonical import digest, quote, scalar_text
from voxk8s.plan.model import Digest, OperationId, ResultKey, Scalar

SAVE_KERNEL = "voxk8s.save"
"""Name that the operations of `save` goals carry in keys and records."""
SAVE_VERSION = 1
"""Version of the file encoders, for an index that does not know `SAVE_KERNEL`."""


def constant_key(value: Scalar) -> ResultKey:
    """Key of a constant."""
    return ResultKey(digest('{"value":' + scalar_text(value) + ',"voxk8s":"constant/v1"}'))


def kernel_tail(kernel: str, version: int) -> str:
    """Canonical text of the members that all operations of one kernel share."""
    return f'"kernel":{quote(kernel)},"version":{version},"voxk8s":"operation/v1"}}'


def operation_key(tail: str, arguments: Sequence[ResultKey]) -> ResultKey:
    """Key of an operation; `tail` is its kernel's `kernel_tail`."""
    return ResultKey(digest(f'{{"arguments":{_listed(arguments)},{tail}'))


def input_key(
    kernel: str, version: int, content: Digest, arguments: Sequence[ResultKey]
) -> ResultKey:
    """Key of an external input; `arguments` are those beside the first, which says where it is."""
    return ResultKey(
        digest(
            f'{{"arguments":{_listed(arguments)},"content":{quote(content)},'
            f'"kernel":{quote(kernel)},"version":{version},"voxk8s":"input/v1"}}'
        )
    )


def save_key(version: int, suffix: str, argument: ResultKey) -> ResultKey:
    """Key of a value encoded as a file."""
    return ResultKey(
        digest(
            f'{{"arguments":{_listed((argument,))},"kernel":{quote(SAVE_KERNEL)},'
            f'"suffix":{quote(suffix)},"version":{version},"voxk8s":"save/v1"}}'
        )
    )


def save_location_id(operation: OperationId, suffix: str) -> OperationId:
    """Name the saving of an operation's value, to tell its place in a program from that of it."""
    return OperationId(digest(f'{{"save":{quote(suffix)},"voxk8s":{quote(operation)}}}'))


def file_suffix(name: str) -> str:
    """Give the suffix of a file name that says how it is encoded: lower case, or empty."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].lower()
    if last.endswith(".nii.gz"):
        return ".nii.gz"
    stem, dot, suffix = last.rpartition(".")
    return dot + suffix if stem else ""


def _listed(keys: Sequence[ResultKey]) -> str:
    return '["' + '","'.join(keys) + '"]' if keys else "[]"

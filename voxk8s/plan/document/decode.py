"""Plan documents become plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from voxk8s.errors import InvalidPlan
from voxk8s.plan.document.encode import to_document
from voxk8s.plan.document.json_text import to_bytes
from voxk8s.plan.document.validate import build
from voxk8s.plan.document.wire import read_json, read_lenient, read_mapping
from voxk8s.plan.document.yaml_reader import read_yaml
from voxk8s.plan.gc_pause import without_gc
from voxk8s.plan.model import WorkPlan
from voxk8s.plan.signature import KernelIndex


@without_gc
def decode(
    source: bytes | str | Mapping[str, object],
    *,
    index: KernelIndex,
    format: Literal["json", "yaml"] = "json",  # noqa: A002 - the word that users know
    from_resource: bool = False,
) -> WorkPlan:
    """Read a plan document: text in JSON or YAML, or Python objects.

    Labels become ids, nodes of equal content become one, and everything wrong is found: raises
    `InvalidPlan` with the path of the first error. `from_resource` says that the document passed
    through a Kubernetes API server, which rewrites numbers: ids then decide what a number was.
    """
    if not isinstance(source, bytes | str):
        return build(read_mapping(source), index, from_resource=from_resource)
    if format == "yaml":
        content = read_yaml(source)
        if not isinstance(content, dict):
            raise InvalidPlan("a plan document must be a mapping with nodes and goals")
        return build(read_mapping(content), index, from_resource=from_resource)
    data = to_bytes(source)
    try:
        document = read_json(data)
    except InvalidPlan as error:
        cause = error.__cause__
        malformed = isinstance(cause, msgspec.DecodeError | UnicodeError)
        if not malformed or isinstance(cause, msgspec.ValidationError):
            raise
        lenient = read_lenient(data)
        if lenient is not None:
            build(lenient, index, from_resource=from_resource)
        raise
    return build(document, index, from_resource=from_resource)


@without_gc
def validate(plan: WorkPlan, index: KernelIndex) -> WorkPlan:
    """Check a plan that was made in this process as if it had come as a document.

    Gives it back with nodes in topological order; raises `InvalidPlan`.
    """
    return build(to_document(plan), index)

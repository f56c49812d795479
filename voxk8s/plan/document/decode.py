"""Decodes plan documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from voxk8s.errors import InvalidPlan
from voxk8s.plan.document.duplicate_keys import check_duplicate_keys
from voxk8s.plan.document.encode import to_document
from voxk8s.plan.document.validate import validate_document
from voxk8s.plan.document.wire import read_json, read_lenient, read_mapping, to_bytes
from voxk8s.plan.gc_pause import without_gc
from voxk8s.plan.model import WorkPlan
from voxk8s.plan.signature import KernelIndex


@without_gc()
def decode(
    source: bytes | str | Mapping[str, object],
    *,
    index: KernelIndex,
    format: Literal["json", "yaml"] = "json",  # noqa: A002 - the name that users know
    from_resource: bool = False,
) -> WorkPlan:
    """Decode a plan document: text in JSON or YAML, or Python objects.

    Labels become ids, nodes of equal content become one, and everything is checked: raises
    `InvalidPlan` with the path of the first error. `from_resource` is for documents that passed
    through a Kubernetes API server, which rewrites numbers: ids then show the original number.
    """
    if not isinstance(source, bytes | str):
        return validate_document(read_mapping(source), index, from_resource=from_resource)
    if format == "yaml":
        # Imported here: most documents are JSON, and the YAML library takes 20 ms to import.
        from voxk8s.plan.document.yaml_reader import read_yaml

        content = read_yaml(source)
        if not isinstance(content, dict):
            raise InvalidPlan(
                f"expected a mapping with nodes and goals, found {type(content).__name__}"
            )
        return validate_document(read_mapping(content), index, from_resource=from_resource)
    data = to_bytes(source)
    try:
        document = read_json(data)
        check_duplicate_keys(data, document)
    except InvalidPlan as error:
        cause = error.__cause__
        malformed = isinstance(cause, msgspec.DecodeError | UnicodeError)
        if not malformed or isinstance(cause, msgspec.ValidationError):
            raise
        lenient = read_lenient(data)
        if lenient is not None:
            validate_document(lenient, index, from_resource=from_resource)
        raise
    return validate_document(document, index, from_resource=from_resource)


@without_gc()
def validate(plan: WorkPlan, index: KernelIndex) -> WorkPlan:
    """Check a plan that was made in this process as if it were a document.

    Returns it with nodes in topological order; raises `InvalidPlan`.
    """
    return validate_document(to_document(plan), index)

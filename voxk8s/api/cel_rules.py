"""What a WorkPlan's spec must obey beyond the types of its fields: CEL rules of the CRD."""

from __future__ import annotations

from typing import Any

_SOURCES = ("plan", "program", "configMapRef", "url")


def rule(expression: str, message: str, path: str | None = None) -> dict[str, Any]:
    """Write one rule; `path` is the field that its message points to."""
    entry = {"rule": expression, "message": message}
    return entry | ({"fieldPath": path} if path else {})


_COUNT = " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in _SOURCES)

SOURCE = [
    rule("self == oldSelf", "source cannot be changed; make a new WorkPlan"),
    rule(f"{_COUNT} == 1", f"exactly one of {', '.join(_SOURCES)} must be given"),
    rule("!has(self.digest) || has(self.url)", "digest goes with url", ".digest"),
    rule(
        "!has(self.digest) || self.digest.matches('^sha256:[0-9a-f]{64}$')",
        "digest must be sha256: and 64 hexadecimal digits",
        ".digest",
    ),
    rule(
        "!has(self.configMapRef) || self.configMapRef.key.matches('[.](imgql|json|yaml|yml)$')",
        "key must end in .imgql, .json, .yaml or .yml",
        ".configMapRef",
    ),
]

CLUSTER = [
    rule(
        "self.minWorkers <= self.maxWorkers",
        "minWorkers must not be larger than maxWorkers",
        ".minWorkers",
    ),
]

# What stands in `source.url` is judged by the operator, with a condition that says why.
BUCKET = [rule("self.url.startsWith('s3://')", "url must begin with s3://", ".url")]

STORE = [
    *BUCKET,
    rule(
        "!has(self.endpoint) || self.endpoint.matches('^https?://[^/@?#]+(/[^?#]*)?$')",
        "endpoint must be http(s)://host[:port], without a user name or a password",
        ".endpoint",
    ),
]

_IDLE = (
    "(has(self.spec.suspend) && self.spec.suspend)"
    " || (has(oldSelf.spec.suspend) && oldSelf.spec.suspend)"
    " || (has(oldSelf.status) && has(oldSelf.status.completionTime))"
)


def _kept(field: str) -> str:
    return (
        f"has(self.spec.{field}) == has(oldSelf.spec.{field})"
        f" && (!has(self.spec.{field}) || self.spec.{field} == oldSelf.spec.{field})"
    )


WORK_PLAN = [
    rule("self.metadata.name.size() <= 200", "a WorkPlan's name has at most 200 characters"),
    *(
        rule(
            f"({_kept(field)}) || {_IDLE}",
            f"{field} cannot be changed while the WorkPlan runs; set suspend to true first",
            f".spec.{field}",
        )
        for field in ("store", "cluster")
    ),
]

"""CEL validation rules of the CRD, for constraints that a schema cannot express."""

from __future__ import annotations

from typing import Any

from voxk8s.constants import RESOURCE_NAME

_SOURCES = ("plan", "program", "configMapRef", "url")


def cel_rule(expression: str, message: str, path: str | None = None) -> dict[str, Any]:
    """Return a validation rule; `path` is the field that its message refers to."""
    entry = {"rule": expression, "message": message}
    return entry | ({"fieldPath": path} if path else {})


_COUNT = " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in _SOURCES)

SOURCE = [
    cel_rule("self == oldSelf", "source cannot be changed; make a new WorkPlan"),
    cel_rule(f"{_COUNT} == 1", f"exactly one of {', '.join(_SOURCES)} must be given"),
    cel_rule("!has(self.digest) || has(self.url)", "digest goes with url", ".digest"),
    cel_rule(
        "!has(self.digest) || self.digest.matches('^sha256:[0-9a-f]{64}$')",
        "digest must be sha256: and 64 hexadecimal digits",
        ".digest",
    ),
    cel_rule(
        "!has(self.configMapRef) || self.configMapRef.key.matches('[.](imgql|json|yaml|yml)$')",
        "key must end in .imgql, .json, .yaml or .yml",
        ".configMapRef",
    ),
]

CLUSTER = [
    *(
        cel_rule(
            f"!has(self.{pod}) || !has(self.{pod}.envFrom) || self.{pod}.envFrom.all(s,"
            " has(s.configMapRef) != has(s.secretRef))",
            "give one of configMapRef and secretRef in each item of envFrom",
            f".{pod}",
        )
        for pod in ("worker", "scheduler", "runner")
    ),
    cel_rule(
        "!has(self.workerGroups) || self.workerGroups.all(g, !has(g.worker) ||"
        " !has(g.worker.envFrom) || g.worker.envFrom.all(s,"
        " has(s.configMapRef) != has(s.secretRef)))",
        "give one of configMapRef and secretRef in each item of envFrom",
        ".workerGroups",
    ),
    cel_rule(
        "!has(self.workerGroups) || self.workerGroups.all(g, g.name != 'default')",
        "default is the name of the workers that cluster.worker describes",
        ".workerGroups",
    ),
    cel_rule(
        "!has(self.workerGroups) || self.workerGroups.all(g, !has(g.provides) ||"
        f" g.provides.all(k, k.matches('^{RESOURCE_NAME}$')))",
        "names in provides consist of letters, digits, . _ and -, and begin with a letter",
        ".workerGroups",
    ),
    cel_rule(
        "self.minWorkers <= self.maxWorkers",
        "minWorkers must not be larger than maxWorkers",
        ".minWorkers",
    ),
    cel_rule(
        "!has(self.workerGroups) || self.workerGroups.all(g, g.minWorkers <= g.maxWorkers)",
        "minWorkers must not be larger than maxWorkers",
        ".workerGroups",
    ),
]

# The operator checks `source.url` and explains in a condition why it is rejected.
BUCKET = [cel_rule("self.url.startsWith('s3://')", "url must begin with s3://", ".url")]

STORE = [
    *BUCKET,
    cel_rule(
        "!has(self.endpoint) || self.endpoint.matches('^https?://[^/@?#]+(/[^?#]*)?$')",
        "endpoint must be http(s)://host[:port], without a user name or a password",
        ".endpoint",
    ),
    # Clients make the name of a server from it that gets the tokens of accounts.
    cel_rule(
        "!has(self.region) || self.region.matches('^[A-Za-z0-9_-]*$')",
        "region must consist of letters, digits, - and _",
        ".region",
    ),
]

# What suspend says is not enough: a run that is resumed before the operator has looked goes on as
# it was, and its end would be reported for a store that it never saw.
_AT_REST = (
    "!has(oldSelf.status) || !has(oldSelf.status.phase) || oldSelf.status.phase == 'Suspended'"
    " || has(oldSelf.status.completionTime)"
)


# A run reads these fields when it starts: a later change would be reported as done without having
# had an effect. A suspended WorkPlan has no runner, and gets a new one.
_SUSPENDED = (
    "(has(oldSelf.status) && has(oldSelf.status.phase) && oldSelf.status.phase == 'Suspended')"
)


def _unchanged(field: str) -> str:
    return (
        f"has(self.spec.{field}) == has(oldSelf.spec.{field})"
        f" && (!has(self.spec.{field}) || self.spec.{field} == oldSelf.spec.{field})"
    )


WORK_PLAN = [
    cel_rule("self.metadata.name.size() <= 200", "a WorkPlan's name has at most 200 characters"),
    cel_rule(_unchanged("managedBy"), "managedBy cannot be changed", ".spec.managedBy"),
    *(
        cel_rule(
            f"({_unchanged(field)}) || {_AT_REST}",
            f"{field} cannot be changed while the WorkPlan runs; set suspend to true first, and"
            " change it when the phase is Suspended",
            f".spec.{field}",
        )
        for field in ("store", "cluster")
    ),
    *(
        cel_rule(
            f"({_unchanged(field)}) || {_SUSPENDED}",
            f"{field} can only be changed in the phase Suspended; set suspend to true first, or"
            " make a new WorkPlan if this one has finished",
            f".spec.{field}",
        )
        for field in ("output", "cache", "onFailure", "onItemFailure", "retry", "expect")
    ),
]

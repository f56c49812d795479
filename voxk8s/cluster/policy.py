"""What a WorkPlan may ask of its pods: allow-lists that the chart sets, with safe defaults.

The chart installs the same rules as a ValidatingAdmissionPolicy, so that `kubectl apply` answers at
once. The operator applies them again: it also serves clusters without that API, and WorkPlans that
were created before a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from voxk8s.api.spec import Cluster, PodTemplate, Toleration, WorkPlanSpec
from voxk8s.cluster.quantities import parse_quantity
from voxk8s.errors import InvalidUsage

HARMLESS_ENV = (
    "LANG",
    "LC_*",
    "TZ",
    "VOXK8S_LOG_LEVEL",
    "VOXK8S_STORE_BYTES",
    "VOXK8S_STORE_POLICY",
)
"""Variables that give a pod no code, no address and no credentials."""


class Policy(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The allow-lists of the chart's `policy`.

    An entry allows the text that equals it, or, if it ends in `*`, all that begins with the rest.
    `images` are images beside the chart's engine image; `env` names of variables; `labels` and
    `annotations` their keys; `node_selectors` keys of node labels; `tolerations` keys of taints, of
    which `*` alone also allows to tolerate all; `service_accounts` names of accounts; `env_from`
    sources of variables as configmap/NAME or secret/NAME; `host_aliases` host names;
    `topology_keys` node labels to spread pods over; `volumes` claims with inputs. `limits` are the
    largest amounts of a resource that one container may have, 0 for none; `quota` is what all of a
    namespace may have together.
    """

    images: tuple[str, ...] = ()
    env: tuple[str, ...] = HARMLESS_ENV
    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    node_selectors: tuple[str, ...] = ("kubernetes.io/arch", "kubernetes.io/os")
    tolerations: tuple[str, ...] = ()
    priority_classes: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    env_from: tuple[str, ...] = ()
    runtime_classes: tuple[str, ...] = ()
    schedulers: tuple[str, ...] = ()
    host_aliases: tuple[str, ...] = ()
    topology_keys: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    affinity: bool = False
    max_workers: int = 100
    limits: Mapping[str, int | str] = msgspec.field(default_factory=dict)
    quota: Mapping[str, int | str] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Violation:
    """A field of a WorkPlan that the policy does not allow.

    `field` is its path, `rule` the name of the chart's value that would have to allow it; empty if
    none can.
    """

    field: str
    rule: str
    message: str

    def __str__(self) -> str:
        remedy = f" (allowed by the chart's policy.{self.rule})" if self.rule else ""
        return f"{self.field}: {self.message}{remedy}"


def violations(spec: WorkPlanSpec, policy: Policy, engine_image: str) -> tuple[Violation, ...]:
    """Return what `spec.cluster` asks for and may not have, in the order of its fields."""
    return (
        *_cluster_violations(spec.cluster, policy, engine_image),
        *_identity_violations(spec),
    )


def is_allowed(text: str, entries: Iterable[str]) -> bool:
    """Whether an entry of an allow-list allows a text."""
    return any(
        text.startswith(entry[:-1]) if entry.endswith("*") else text == entry for entry in entries
    )


def _cluster_violations(cluster: Cluster, policy: Policy, engine_image: str) -> Iterator[Violation]:
    groups = cluster.worker_groups or ()
    workers = cluster.max_workers + sum(group.max_workers for group in groups)
    if workers > policy.max_workers:
        yield Violation(
            "spec.cluster.maxWorkers", "maxWorkers",
            f"at most {policy.max_workers} workers"
            f"{' in all worker groups' if groups else ''}, got {workers}",
        )  # fmt: skip
    for path, image in (
        ("spec.cluster.image", cluster.image),
        *((f"spec.cluster.workerGroups[{group.name}].image", group.image) for group in groups),
    ):
        if image is not None and not is_allowed(image, (engine_image, *policy.images)):
            yield Violation(path, "images", f"the image {image} is not allowed")
    account = cluster.service_account_name
    yield from _unlisted(
        "spec.cluster.serviceAccountName", "serviceAccounts", "the service account",
        (account,) if account else (), policy.service_accounts,
    )  # fmt: skip
    yield from _unlisted(
        "spec.cluster.volumes", "volumes", "the claim",
        (volume.claim_name for volume in cluster.volumes or ()), policy.volumes,
    )  # fmt: skip
    for component in ("worker", "scheduler", "runner"):
        template = getattr(cluster, component)
        if template is not None:
            yield from _pod_violations(f"spec.cluster.{component}", template, policy)
    for group in groups:
        if group.worker is not None:
            path = f"spec.cluster.workerGroups[{group.name}].worker"
            yield from _pod_violations(path, group.worker, policy)


def _identity_violations(spec: WorkPlanSpec) -> Iterator[Violation]:
    """Yield an account together with a server that the author chose: it would see its requests."""
    if spec.cluster.service_account_name and spec.store is not None and spec.store.endpoint:
        yield Violation(
            "spec.cluster.serviceAccountName", "",
            "an account does not go together with spec.store.endpoint; use the chart's store or one"
            " on AWS, or credentialsSecretRef without an account",
        )  # fmt: skip


def _pod_violations(path: str, template: PodTemplate, policy: Policy) -> Iterator[Violation]:
    names = tuple(variable.name for variable in template.env or ())
    yield from _unlisted(f"{path}.env", "env", "the variable", names, policy.env)
    for name, rule, noun, given, allowed in (
        ("labels", "labels", "the label", template.labels, policy.labels),
        ("annotations", "annotations", "the annotation", template.annotations, policy.annotations),
        ("nodeSelector", "nodeSelectors", "the node label", template.node_selector,
         policy.node_selectors),
    ):  # fmt: skip
        yield from _unlisted(f"{path}.{name}", rule, noun, tuple(given or ()), allowed)
    for toleration in template.tolerations or ():
        yield from _toleration(f"{path}.tolerations", toleration, policy.tolerations)
    priority = template.priority_class_name
    yield from _unlisted(
        f"{path}.priorityClassName", "priorityClasses", "the priority class",
        (priority,) if priority else (), policy.priority_classes,
    )  # fmt: skip
    aliases = template.host_aliases or ()
    for name, rule, noun, asked, listed in (
        ("envFrom", "envFrom", "the source of variables",
         [source.source for source in template.env_from or ()], policy.env_from),
        ("runtimeClassName", "runtimeClasses", "the runtime class",
         [template.runtime_class_name], policy.runtime_classes),
        ("schedulerName", "schedulers", "the scheduler",
         [template.scheduler_name], policy.schedulers),
        ("hostAliases", "hostAliases", "the host name",
         [host for alias in aliases for host in alias.hostnames], policy.host_aliases),
        ("topologySpreadConstraints", "topologyKeys", "the node label",
         [spread.topology_key for spread in template.topology_spread_constraints or ()],
         policy.topology_keys),
    ):  # fmt: skip
        yield from _unlisted(f"{path}.{name}", rule, noun, filter(None, asked), listed)
    if template.affinity and not policy.affinity:
        yield Violation(f"{path}.affinity", "affinity", "affinity is not allowed")
    yield from _resource_violations(f"{path}.resources", template, policy.limits)


def _unlisted(
    path: str, rule: str, noun: str, given: Iterable[str], allowed: tuple[str, ...]
) -> Iterator[Violation]:
    for text in given:
        if not is_allowed(text, allowed):
            yield Violation(path, rule, f"{noun} {text} is not allowed")


def _toleration(path: str, given: Toleration, allowed: tuple[str, ...]) -> Iterator[Violation]:
    if not given.key:
        if "*" not in allowed:
            yield Violation(path, "tolerations", "a toleration of all taints is not allowed")
    elif not is_allowed(given.key, allowed):
        yield Violation(path, "tolerations", f"the toleration of {given.key} is not allowed")


def _resource_violations(
    path: str, template: PodTemplate, limits: Mapping[str, int | str]
) -> Iterator[Violation]:
    """Yield amounts over the limits; a container without a limit gets the chart's default."""
    if template.resources is None:
        return
    for kind in ("requests", "limits"):
        given = getattr(template.resources, kind) or {}
        for name, largest in limits.items():
            if name in given and (message := _exceeds(given[name], largest, name)):
                yield Violation(f"{path}.{kind}", "limits", message)
    given = template.resources.limits or {}
    for name, largest in limits.items():
        if name not in given or (is_nothing(given[name]) and not is_nothing(largest)):
            yield Violation(f"{path}.limits", "limits", f"a limit of {name} is needed: {largest}")


def is_nothing(amount: int | str) -> bool:
    """Whether a limit is 0, which Kubernetes reads as no limit; an unreadable one is not."""
    try:
        return parse_quantity(amount) <= 0
    except InvalidUsage:
        return False


def _exceeds(given: int | str, largest: int | str, name: str) -> str:
    """Return how an amount is over its limit, or cannot be compared with it; empty if it is not."""
    try:
        over = parse_quantity(given) > parse_quantity(largest)
    except InvalidUsage as error:
        return f"at most {largest} {name}: {error}"
    return f"at most {largest} {name}, got {given}" if over else ""

"""Settings of the chart that apply to every run: images, container resources, environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from voxk8s import constants
from voxk8s.api.spec import Resources
from voxk8s.cluster.policy import Policy
from voxk8s.cluster.quantities import parse_quantity
from voxk8s.cluster.run_inputs import RunInputs
from voxk8s.errors import InvalidUsage
from voxk8s.settings import read_flag, read_json

_SMALL = Resources(
    requests={"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "64Mi"},
    limits={"memory": "2Gi", "ephemeral-storage": "4Gi"},
)
_WORKER = Resources(
    requests={"cpu": "1", "memory": "2Gi", "ephemeral-storage": "64Mi"},
    limits={"memory": "4Gi", "ephemeral-storage": "20Gi"},
)
_RUN_AS: int | None = 65532
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")


@dataclass(frozen=True, slots=True)
class Defaults:
    """Defaults of the chart; the operator reads them from its environment.

    `run_as` is the user and group id of every pod; None leaves them to the image, as OpenShift
    requires. Network policies allow egress to any address on `api_ports` (TCP, runner only), and on
    `input_ports` (TCP, runner and workers) to public addresses but `blocked_cidrs`, and to
    `allowed_cidrs`; so does the engine itself. `inputs` is what runs may read. `engine_env` are
    environment variables of scheduler, workers and runner. `tls` encrypts what they send each
    other, `policy` is what WorkPlans may ask for. `engine_libraries` are the versions of libraries
    that are part of result keys, by image.
    `priority_classes` are PriorityClasses with the lowest `spec.priority` that gets them.
    """

    engine_image: str
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    worker: Resources = _WORKER
    scheduler: Resources = _SMALL
    runner: Resources = _SMALL
    run_as: int | None = _RUN_AS
    test_kernels: bool = False
    engine_env: Mapping[str, str] = field(default_factory=dict)
    dask_operator_namespace: str = "dask-operator"
    operator_namespace: str = "voxk8s-system"
    api_ports: tuple[int, ...] = (443, 6443)
    input_ports: tuple[int, ...] = (80, 443)
    blocked_cidrs: tuple[str, ...] = ()
    allowed_cidrs: tuple[str, ...] = ()
    inputs: RunInputs = field(default_factory=RunInputs)
    network_policies: bool = True
    tls: bool = True
    policy: Policy = field(default_factory=Policy)
    runner_retries: int = 6
    version: str = "unknown"
    engine_libraries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    priority_classes: Mapping[str, int] = field(default_factory=dict)

    def priority_class(self, priority: int) -> str | None:
        """Return the PriorityClass for pods of a WorkPlan: the one with the highest threshold."""
        reached = [
            (least, name) for name, least in self.priority_classes.items() if priority >= least
        ]
        return max(reached)[1] if reached else None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Defaults:
        """Read the defaults from environment variables; raises InvalidUsage naming the variable."""
        image = env.get(constants.ENV_ENGINE_IMAGE)
        if not image:
            raise InvalidUsage(
                f"{constants.ENV_ENGINE_IMAGE} is not set: expected the name of the engine image"
            )
        policy = env.get(constants.ENV_IMAGE_PULL_POLICY) or "IfNotPresent"
        if policy not in _PULL_POLICIES:
            raise InvalidUsage(
                f"{constants.ENV_IMAGE_PULL_POLICY}={policy!r}:"
                f" expected one of {', '.join(_PULL_POLICIES)}"
            )
        return cls(
            engine_image=image,
            image_pull_policy=policy,
            image_pull_secrets=read_json(
                env, constants.ENV_IMAGE_PULL_SECRETS, tuple[str, ...], ()
            ),
            worker=_read_resources(env, constants.ENV_WORKER_RESOURCES, _WORKER),
            scheduler=_read_resources(env, constants.ENV_SCHEDULER_RESOURCES, _SMALL),
            runner=_read_resources(env, constants.ENV_RUNNER_RESOURCES, _SMALL),
            run_as=read_json(env, constants.ENV_RUN_AS, int | None, _RUN_AS),
            test_kernels=read_flag(env, constants.ENV_TEST_KERNELS, False),
            engine_env=read_json(env, constants.ENV_ENGINE_ENV, dict[str, str], {}),
            dask_operator_namespace=env.get(constants.ENV_DASK_OPERATOR_NAMESPACE)
            or "dask-operator",
            operator_namespace=env.get(constants.ENV_OPERATOR_NAMESPACE) or "voxk8s-system",
            api_ports=read_json(env, constants.ENV_API_PORTS, tuple[int, ...], (443, 6443)),
            input_ports=read_json(env, constants.ENV_INPUT_PORTS, tuple[int, ...], (80, 443)),
            blocked_cidrs=_read_cidrs(env, constants.ENV_BLOCKED_CIDRS, ()),
            allowed_cidrs=_read_cidrs(env, constants.ENV_ALLOWED_CIDRS, ()),
            inputs=read_json(env, constants.ENV_RUN_INPUTS, RunInputs, RunInputs()),
            network_policies=read_flag(env, constants.ENV_NETWORK_POLICIES, True),
            policy=_read_policy(env),
            tls=read_flag(env, constants.ENV_TLS, True),
            runner_retries=read_json(env, constants.ENV_RUNNER_RETRIES, int, 6),
            version=env.get(constants.ENV_VERSION) or "unknown",
            engine_libraries=read_json(
                env, constants.ENV_ENGINE_LIBRARIES, dict[str, dict[str, str]], {}
            ),
            priority_classes=read_json(env, constants.ENV_PRIORITY_CLASSES, dict[str, int], {}),
        )


def _read_cidrs(env: Mapping[str, str], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Read a JSON list of networks; raises InvalidUsage naming the variable and the wrong one."""
    cidrs = read_json(env, name, tuple[str, ...], default)
    for cidr in cidrs:
        try:
            ipaddress.ip_network(cidr)
        except ValueError as error:
            raise InvalidUsage(f"{name}: expected networks such as 10.0.0.0/8: {error}") from error
    return cidrs


def _read_resources(env: Mapping[str, str], name: str, default: Resources) -> Resources:
    """Read the resources of a container; raises InvalidUsage naming the variable."""
    resources = read_json(env, name, Resources, default)
    for amounts in (resources.requests, resources.limits):
        _check_amounts(name, amounts or {})
    return resources


def _read_policy(env: Mapping[str, str]) -> Policy:
    """Read the chart's `policy`; raises InvalidUsage naming the variable."""
    policy = read_json(env, constants.ENV_POLICY, Policy, Policy())
    _check_amounts(constants.ENV_POLICY, policy.limits)
    _check_amounts(constants.ENV_POLICY, policy.quota)
    return policy


def _check_amounts(variable: str, amounts: Mapping[str, int | str]) -> None:
    for name, amount in amounts.items():
        try:
            parse_quantity(amount)
        except InvalidUsage as error:
            raise InvalidUsage(f"{variable}: {name}: {error}") from error

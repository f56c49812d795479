"""Configuration of the operator, read from its environment."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voxk8s import constants
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.quantities import parse_quantity
from voxk8s.controller.limits import Limits
from voxk8s.controller.replica_identity import TERMINATION_LOG
from voxk8s.controller.trust import SessionConfig, Trust
from voxk8s.errors import InvalidUsage
from voxk8s.settings import read_flag, read_json, read_number
from voxk8s.storage import StoreOptions

ALL_NAMESPACES = "*"
_MAX_RESOLVER_MEMORY = 2 * 1024**3
_MIN_RESOLVER_MEMORY = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """The default store, its credentials, and the namespaces that may use it.

    `prefixes` are the URLs below which the operator itself may read what users name. `trust`
    has the trust domains of namespaces, `session` tells how their runs get credentials. `max_bytes`
    is what each domain may have in the store.
    """

    url: str | None = None
    options: StoreOptions = field(default_factory=StoreOptions)
    allowed: tuple[str, ...] = (ALL_NAMESPACES,)
    denied: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    trust: Trust = field(default_factory=Trust)
    session: SessionConfig = field(default_factory=SessionConfig)
    max_bytes: int | None = None

    @property
    def has_credentials(self) -> bool:
        """Whether pods get credentials, rather than a workload identity or none."""
        static = any(domain.existing_secret for domain in self.trust.domains.values())
        return bool(self.options.key or self.session.role_arn or static)

    def allows(self, namespace: str) -> bool:
        """Whether a namespace may use the default store."""
        if namespace in self.denied or ALL_NAMESPACES in self.denied:
            return False
        named = namespace in self.allowed or self.trust.names(namespace)
        return named or ALL_NAMESPACES in self.allowed


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of the operator, as the chart sets them.

    `workers` is the number of WorkPlans that are reconciled at a time, `resolvers` the number of
    processes that resolve plans, with at most `resolver_memory` bytes together. `kueue` is whether
    WorkPlans with the label of a queue wait for quota of Kueue. `identity` is the pod's name,
    `termination_log` the file whose text becomes the termination message of the container.
    """

    defaults: Defaults
    store: StoreConfig
    namespaces: tuple[str, ...] = ()
    leader_election: bool = True
    lease_name: str = "voxk8s-operator"
    identity: str = ""
    pod_uid: str = ""
    termination_log: Path = TERMINATION_LOG
    health_port: int = 8080
    metrics_port: int = 9090
    log_level: str = "INFO"
    workers: int = 16
    resolvers: int = 2
    resolver_memory: int = _MAX_RESOLVER_MEMORY
    resync_seconds: float = 300.0
    limits: Limits = field(default_factory=Limits)
    kueue: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str], memory_limit: int | None = None) -> Config:
        """Read the configuration; raises InvalidUsage that names the wrong variable.

        `memory_limit` is the limit of all processes of the operator together, in bytes.
        """
        url = env.get(constants.ENV_STORE) or None
        prefixes = tuple(env.get(constants.ENV_INPUT_PREFIXES, "").split())
        store = StoreConfig(
            url=url,
            options=StoreOptions().filled(env),
            allowed=read_json(
                env, constants.ENV_STORE_ALLOWED_NAMESPACES, tuple[str, ...], (ALL_NAMESPACES,)
            ),
            denied=read_json(env, constants.ENV_STORE_DENIED_NAMESPACES, tuple[str, ...], ()),
            trust=read_json(env, constants.ENV_STORE_TRUST, Trust, Trust()),
            session=read_json(env, constants.ENV_STORE_STS, SessionConfig, SessionConfig()),
            prefixes=prefixes or ((url,) if url else ()),
            max_bytes=_bytes(env, constants.ENV_STORE_MAX_BYTES),
        )
        return cls(
            defaults=Defaults.from_env(env),
            store=store,
            namespaces=read_json(env, constants.ENV_WATCH_NAMESPACES, tuple[str, ...], ()),
            leader_election=read_flag(env, constants.ENV_LEADER_ELECTION, True),
            lease_name=env.get(constants.ENV_LEASE_NAME) or "voxk8s-operator",
            identity=env.get(constants.ENV_OPERATOR_POD) or socket.gethostname(),
            pod_uid=env.get(constants.ENV_OPERATOR_POD_UID) or "",
            health_port=_integer(env, constants.ENV_HEALTH_PORT, 8080, 0, 65535),
            metrics_port=_integer(env, constants.ENV_METRICS_PORT, 9090, 0, 65535),
            log_level=(env.get(constants.ENV_LOG_LEVEL) or "INFO").upper(),
            resolvers=_integer(env, constants.ENV_RESOLVERS, 2, 1, 1000),
            resolver_memory=resolver_memory(memory_limit),
            limits=read_json(env, constants.ENV_LIMITS, Limits, Limits()),
            kueue=read_flag(env, constants.ENV_KUEUE, False),
        )


def resolver_memory(limit: int | None) -> int:
    """Return the bytes for all processes that resolve plans together: most of the pod's."""
    if limit is None:
        return _MAX_RESOLVER_MEMORY
    return min(_MAX_RESOLVER_MEMORY, max(_MIN_RESOLVER_MEMORY, limit * 6 // 10))


def _bytes(env: Mapping[str, str], name: str) -> int | None:
    text = env.get(name)
    if not text:
        return None
    try:
        found = int(parse_quantity(text))
    except InvalidUsage as error:
        raise InvalidUsage(f"{name}: {error}") from error
    if found < 1:
        raise InvalidUsage(f"{name}: expected at least one byte, or nothing, got {text!r}")
    return found


def _integer(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    number = read_number(env, name, default, least=least, most=most)
    if not number.is_integer():
        raise InvalidUsage(f"{name}: expected a whole number, got {env[name]!r}")
    return int(number)

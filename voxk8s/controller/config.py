"""Configuration of the operator, read from its environment."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from voxk8s import constants
from voxk8s.cluster.defaults import Defaults
from voxk8s.errors import InvalidUsage
from voxk8s.settings import read_flag
from voxk8s.storage import StoreOptions

ALL_NAMESPACES = "*"
_MAX_RESOLVER_MEMORY = 2 * 1024**3
_MIN_RESOLVER_MEMORY = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """The default store, its credentials, and the namespaces that may use it.

    `prefixes` are the URLs below which the operator itself may read what users name.
    """

    url: str | None = None
    options: StoreOptions = field(default_factory=StoreOptions)
    allowed: tuple[str, ...] = (ALL_NAMESPACES,)
    denied: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    def allows(self, namespace: str) -> bool:
        """Whether a namespace may use the default store."""
        if namespace in self.denied or ALL_NAMESPACES in self.denied:
            return False
        return namespace in self.allowed or ALL_NAMESPACES in self.allowed


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of the operator, as the chart sets them.

    `workers` is the number of WorkPlans that are reconciled at a time, `resolvers` the number of
    processes that resolve plans, each with at most `resolver_memory` bytes.
    """

    defaults: Defaults
    store: StoreConfig
    namespaces: tuple[str, ...] = ()
    leader_election: bool = True
    lease_name: str = "voxk8s-operator"
    identity: str = ""
    health_port: int = 8080
    metrics_port: int = 9090
    log_level: str = "INFO"
    workers: int = 16
    resolvers: int = 2
    resolver_memory: int = _MAX_RESOLVER_MEMORY
    resync_seconds: float = 300.0

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
            allowed=_names(env, constants.ENV_STORE_ALLOWED_NAMESPACES, (ALL_NAMESPACES,)),
            denied=_names(env, constants.ENV_STORE_DENIED_NAMESPACES, ()),
            prefixes=prefixes or ((url,) if url else ()),
        )
        return cls(
            defaults=Defaults.from_env(env),
            store=store,
            namespaces=_names(env, constants.ENV_WATCH_NAMESPACES, ()),
            leader_election=read_flag(env, constants.ENV_LEADER_ELECTION, True),
            lease_name=env.get(constants.ENV_LEASE_NAME) or "voxk8s-operator",
            identity=env.get(constants.ENV_OPERATOR_POD) or socket.gethostname(),
            health_port=_port(env, constants.ENV_HEALTH_PORT, 8080),
            metrics_port=_port(env, constants.ENV_METRICS_PORT, 9090),
            log_level=(env.get(constants.ENV_LOG_LEVEL) or "INFO").upper(),
            resolvers=_number(env, constants.ENV_RESOLVERS, 2),
            resolver_memory=resolver_memory(memory_limit),
        )


def resolver_memory(limit: int | None) -> int:
    """Return the bytes for one process: most of the pod's, as large plans run one at a time."""
    if limit is None:
        return _MAX_RESOLVER_MEMORY
    return min(_MAX_RESOLVER_MEMORY, max(_MIN_RESOLVER_MEMORY, limit * 6 // 10))


def _names(env: Mapping[str, str], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    text = env.get(name)
    if text is None or not text.strip():
        return default
    try:
        return msgspec.json.decode(text, type=tuple[str, ...])
    except msgspec.DecodeError as error:
        raise InvalidUsage(
            f"{name}: expected a JSON list of names, got {text!r}: {error}"
        ) from error


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    return _number(env, name, default, least=0, most=65535)


def _number(
    env: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int = 1000
) -> int:
    text = (env.get(name) or "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise InvalidUsage(f"{name}: expected a whole number from {least} to {most}, got {text!r}")
    return int(text)

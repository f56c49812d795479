"""Configuration of the operator, from its environment."""

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
_MEMORY = 2 * 1024**3
_LEAST_MEMORY = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """The default store, its credentials, and the namespaces that may use it.

    `prefixes` are the places that the operator itself may read when a user names them.
    """

    url: str | None = None
    options: StoreOptions = field(default_factory=StoreOptions)
    allowed: tuple[str, ...] = (ALL_NAMESPACES,)
    denied: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    def allows(self, namespace: str) -> bool:
        """Say whether a namespace may use the default store."""
        if namespace in self.denied or ALL_NAMESPACES in self.denied:
            return False
        return namespace in self.allowed or ALL_NAMESPACES in self.allowed


@dataclass(frozen=True, slots=True)
class Config:
    """All that the chart decides.

    `workers` is the number of WorkPlans that are reconciled side by side, `resolvers` that of
    processes that read plans, each with at most `resolver_memory` bytes.
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
    resolver_memory: int = _MEMORY
    resync_seconds: float = 300.0

    @classmethod
    def from_env(cls, env: Mapping[str, str], memory_limit: int | None = None) -> Config:
        """Read the configuration; raises InvalidUsage naming the variable that is wrong.

        `memory_limit` is what all processes of the operator together may use, in bytes.
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
    """Give the bytes that one look-up may use: most of the pod's, since large ones take turns."""
    if limit is None:
        return _MEMORY
    return min(_MEMORY, max(_LEAST_MEMORY, limit * 6 // 10))


def _names(env: Mapping[str, str], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    text = env.get(name)
    if text is None or not text.strip():
        return default
    try:
        return msgspec.json.decode(text, type=tuple[str, ...])
    except msgspec.DecodeError as error:
        raise InvalidUsage(f"{name}={text!r}: must be a JSON list of names: {error}") from error


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    return _number(env, name, default, least=0, most=65535)


def _number(
    env: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int = 1000
) -> int:
    text = (env.get(name) or "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise InvalidUsage(f"{name}={text!r}: must be a whole number from {least} to {most}")
    return int(text)

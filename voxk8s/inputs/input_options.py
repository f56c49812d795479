"""Which inputs may be read, and with which credentials."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from voxk8s import constants
from voxk8s.errors import InvalidUsage
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.inputs.addresses import AddressRules
from voxk8s.inputs.confinement import Confinement
from voxk8s.inputs.volumes import Volumes
from voxk8s.settings import read_flag, read_json

_ADDRESSES = {"public": True, "any": False, "": None}


@dataclass(frozen=True, slots=True)
class InputOptions:
    """Which inputs may be read, and the credentials for those on S3.

    Without `key`, the default sources of credentials are used (environment, profile, service
    account). If `allowed_prefixes` is None, every URL is allowed. `public_only`
    is whether http(s) servers must have public addresses, by default where local inputs are not
    allowed, and `s3_public_only` whether the server of s3:// URLs must have; `denied_networks` are
    not public, `allowed_networks` are allowed like public ones. `confinement` is what a program may
    use that its user has not read. `limits` are those of decoding. `volumes` are mounted claims,
    which the chart's policy has allowed: `allowed_prefixes` are not about them.
    """

    local_allowed: bool = True
    endpoint: str | None = None
    region: str | None = None
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    allowed_prefixes: tuple[str, ...] | None = None
    public_only: bool | None = None
    s3_public_only: bool = False
    denied_networks: tuple[str, ...] = ()
    allowed_networks: tuple[str, ...] = ()
    confinement: Confinement | None = None
    limits: DecodeLimits = field(default_factory=DecodeLimits)
    volumes: Volumes | None = None

    @property
    def address_rules(self) -> AddressRules:
        """Which addresses requests for http(s) URLs may go to."""
        public = not self.local_allowed if self.public_only is None else self.public_only
        return AddressRules(
            public, self.denied_networks, self.allowed_networks, self.allowed_prefixes
        )

    @property
    def s3_address_rules(self) -> AddressRules:
        """Which addresses requests for s3:// URLs may go to; nothing is checked if all may."""
        return AddressRules(self.s3_public_only, self.denied_networks, self.allowed_networks)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> InputOptions:
        """Read the options from the standard variables of AWS and from those of voxk8s."""

        def first(*names: str) -> str | None:
            return next((env[name] for name in names if env.get(name)), None)

        prefixes = tuple(env.get(constants.ENV_INPUT_PREFIXES, "").split())
        return cls(
            local_allowed=read_flag(env, constants.ENV_LOCAL_INPUTS, True),
            endpoint=first(constants.ENV_S3_OWN_ENDPOINT, constants.ENV_S3_ENDPOINT),
            region=first(constants.ENV_S3_REGION, constants.ENV_S3_DEFAULT_REGION),
            key=first(constants.ENV_S3_KEY),
            secret=first(constants.ENV_S3_SECRET),
            token=first(constants.ENV_S3_TOKEN),
            allowed_prefixes=prefixes or None,
            public_only=_addresses(env, constants.ENV_INPUT_ADDRESSES),
            s3_public_only=bool(_addresses(env, constants.ENV_INPUT_S3_ADDRESSES)),
            denied_networks=_networks(env, constants.ENV_INPUT_DENIED_NETWORKS),
            allowed_networks=_networks(env, constants.ENV_INPUT_ALLOWED_NETWORKS),
            limits=DecodeLimits.from_env(env),
            volumes=_volumes(env),
        )


def _addresses(env: Mapping[str, str], name: str) -> bool | None:
    addresses = env.get(name, "").strip().lower()
    if addresses not in _ADDRESSES:
        raise InvalidUsage(f"{name}: expected public or any, got {addresses!r}")
    return _ADDRESSES[addresses]


class _Mounted(msgspec.Struct, frozen=True):
    """What the variable says; the folder of the claims is not up to it."""

    namespace: str
    claims: tuple[str, ...]


def _volumes(env: Mapping[str, str]) -> Volumes | None:
    mounted: _Mounted | None = read_json(env, constants.ENV_INPUT_VOLUMES, _Mounted, None)
    return None if mounted is None else Volumes(mounted.namespace, mounted.claims)


def _networks(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    networks = tuple(env.get(name, "").split())
    for network in networks:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            raise InvalidUsage(f"{name}: {error}") from error
    return networks

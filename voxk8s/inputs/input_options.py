"""Which inputs may be read, and with which credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voxk8s import constants
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.settings import read_flag


@dataclass(frozen=True, slots=True)
class InputOptions:
    """Which inputs may be read, and the credentials for those on S3.

    Without `key`, the default sources of credentials are used (environment, profile, service
    account). If `allowed_prefixes` is None, every URL is allowed. `limits` are those of decoding.
    """

    local_allowed: bool = True
    endpoint: str | None = None
    region: str | None = None
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    allowed_prefixes: tuple[str, ...] | None = None
    limits: DecodeLimits = field(default_factory=DecodeLimits)

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
            limits=DecodeLimits.from_env(env),
        )

"""Which inputs may be read, and with which credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voxk8s import constants
from voxk8s.settings import read_flag


@dataclass(frozen=True, slots=True)
class InputOptions:
    """Which inputs may be read, and the credentials for those on S3.

    Without `key`, the default sources of credentials are used (environment, profile, service
    account). If `allowed_prefixes` is None, every URL is allowed.
    """

    local_allowed: bool = True
    endpoint: str | None = None
    region: str | None = None
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    allowed_prefixes: tuple[str, ...] | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> InputOptions:
        """Read the options from the standard variables of AWS and from those of voxk8s."""
        prefixes = tuple(env.get(constants.ENV_INPUT_PREFIXES, "").split())
        return cls(
            local_allowed=read_flag(env, constants.ENV_LOCAL_INPUTS, True),
            endpoint=env.get(constants.ENV_S3_OWN_ENDPOINT)
            or env.get(constants.ENV_S3_ENDPOINT)
            or None,
            region=env.get(constants.ENV_S3_REGION)
            or env.get(constants.ENV_S3_DEFAULT_REGION)
            or None,
            key=env.get(constants.ENV_S3_KEY) or None,
            secret=env.get(constants.ENV_S3_SECRET) or None,
            token=env.get(constants.ENV_S3_TOKEN) or None,
            allowed_prefixes=prefixes or None,
        )

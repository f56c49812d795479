"""Short-lived credentials for the runs of a trust domain: STS AssumeRole with a session policy.

Tried with SeaweedFS 4.48; AWS, MinIO and Ceph have the same call. The session's rights are the
intersection of the role's and the policy's, so the role may have the rights of all domains.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from voxk8s import constants
from voxk8s.errors import InvalidUsage, StoreAccessDenied, StoreUnreachable
from voxk8s.storage.store_options import Location, StoreOptions, parse_url
from voxk8s.storage.trust_domain import TrustDomains, below, domain_folders, domain_root

_READ: Final = ["s3:GetObject"]
_DELETE: Final = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
_WRITE: Final = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
]
# A name of 2 to 64 characters that appears in the server's log.
_SESSION: Final = "voxk8s-{}"
_SESSION_LENGTH: Final = 64


def session_policy(
    store: Location,
    domains: TrustDomains,
    *,
    read: Iterable[str] = (),
    write: Iterable[str] = (),
    confine_listing: bool = False,
) -> dict[str, Any]:
    """Return the policy of a run's session: rights in its own domain, and reading where it trusts.

    In its own domain it may do everything but delete blobs: results of others refer to them, and
    only the collection of garbage, which has other keys, knows when none does. It may replace them,
    as it must to heal one that is damaged; with other bytes, every reader notices.
    `read` and `write` are further s3:// prefixes, of inputs and of saved files. The session lists
    the whole bucket, because AWS and others answer 403 for a missing object to those who may not;
    with `confine_listing` it lists the same prefixes only. Raises InvalidUsage for a store or a
    prefix that is not on S3.
    """
    own = [f"{_key(root)}*" for root in domain_folders(store, domains.own)]
    trusted = [f"{_key(root)}*" for name in domains.trusts for root in domain_folders(store, name)]
    written = [f"{_key(parse_url(url))}*" for url in write]
    inputs = [f"{_key(parse_url(url))}*" for url in read]
    listed: dict[str, list[str]] = {}
    for pattern in (*own, *written, *inputs):
        bucket, _, key = pattern.partition("/")
        listed.setdefault(bucket, []).append(key)
    blobs = _key(below(domain_root(store, domains.own), constants.BLOBS_PREFIX))
    statements = [
        _allow(_WRITE, [*own, *written]),
        _allow(_DELETE, [f"{blobs}*"]) | {"Effect": "Deny"},
        *([_allow(_READ, [*trusted, *inputs])] if trusted or inputs else []),
        *(
            _allow(["s3:ListBucket"], [bucket]) | (_prefixed(keys) if confine_listing else {})
            for bucket, keys in listed.items()
        ),
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def assume_role(
    options: StoreOptions,
    role: str,
    policy: Mapping[str, Any],
    *,
    domain: str,
    seconds: int,
    endpoint: str | None = None,
) -> tuple[StoreOptions, datetime]:
    """Return credentials with the rights of a session policy, and when they end.

    `options` are the caller's credentials. `endpoint` is the address of the STS, by default that of
    the S3 server, or of AWS if there is none. Raises StoreAccessDenied or StoreUnreachable.
    """
    # Heavy, and only the operator needs it.
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    client = botocore.session.get_session().create_client(
        "sts",
        region_name=options.region or constants.DEFAULT_REGION,
        endpoint_url=endpoint or options.endpoint,
        aws_access_key_id=options.key,
        aws_secret_access_key=options.secret,
        aws_session_token=options.token,
        config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3}),
    )
    try:
        found = client.assume_role(
            RoleArn=role,
            RoleSessionName=_SESSION.format(domain)[:_SESSION_LENGTH],
            Policy=json.dumps(policy, separators=(",", ":")),
            DurationSeconds=seconds,
        )["Credentials"]
    except ClientError as error:
        raise StoreAccessDenied(
            f"the store's STS gives no credentials for trust domain {domain} with role {role}:"
            f" {error.response.get('Error', {}).get('Message') or error}"
        ) from error
    except BotoCoreError as error:
        raise StoreUnreachable(f"the store's STS does not answer: {error}") from error
    scoped = replace(
        options,
        key=found["AccessKeyId"],
        secret=found["SecretAccessKey"],
        token=found["SessionToken"],
    )
    return scoped, found["Expiration"]


def _key(location: Location) -> str:
    if location.scheme != "s3":
        raise InvalidUsage(f"expected a prefix on S3, s3://bucket/prefix, got {location.url}")
    prefix = location.prefix.strip("/")
    return f"{location.root}/{prefix}/" if prefix else f"{location.root}/"


def _prefixed(keys: list[str]) -> dict[str, Any]:
    return {"Condition": {"StringLike": {"s3:prefix": list(dict.fromkeys(keys))}}}


def _allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": actions,
        "Resource": [f"arn:aws:s3:::{resource}" for resource in dict.fromkeys(resources)],
    }

"""The address of a store: its URL in normal form, and its options."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from voxk8s import constants
from voxk8s.errors import InvalidUsage

_ONE_SLASH = re.compile(r"(s3|file|memory|https?|gs|az):", re.IGNORECASE)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Options of an S3 store; those that are None come from the AWS_* environment variables.

    `key`, `secret` and `token` are credentials: they are part of a pickled store, and never of a
    repr. Prefer the environment variables.
    """

    endpoint: str | None = None
    region: str | None = None
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    allow_http: bool | None = None

    def __post_init__(self) -> None:
        """Raise InvalidUsage for an endpoint that is not a URL, or has a password."""
        if self.endpoint is None:
            return
        parts = urlsplit(self.endpoint)
        if parts.username is not None or parts.password is not None:
            raise InvalidUsage(
                "the store's endpoint must not contain a user name or a password; give them by"
                f" {constants.ENV_S3_KEY} and {constants.ENV_S3_SECRET}"
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidUsage(f"expected an endpoint http(s)://host[:port], got {self.endpoint!r}")

    def filled(self, env: Mapping[str, str]) -> StoreOptions:
        """Return options completed from an environment; key and secret only together."""
        options = replace(
            self,
            endpoint=self.endpoint or env.get(constants.ENV_S3_ENDPOINT) or None,
            region=self.region or env.get(constants.ENV_S3_REGION) or "us-east-1",
        )
        if self.key is None and self.secret is None:
            options = replace(
                options,
                key=env.get(constants.ENV_S3_KEY) or None,
                secret=env.get(constants.ENV_S3_SECRET) or None,
                token=self.token or env.get(constants.ENV_S3_TOKEN) or None,
            )
        return options


@dataclass(frozen=True, slots=True)
class Location:
    """The parts of a store's URL: `root` is a bucket, folder or name; `prefix` is for S3 only."""

    scheme: str
    root: str
    prefix: str = ""

    @property
    def url(self) -> str:
        """The URL in normal form, without a slash at the end."""
        if self.scheme == "file":
            return Path(self.root).as_uri()
        tail = f"/{self.prefix}" if self.prefix else ""
        return f"{self.scheme}://{self.root}{tail}"


def store_token(location: Location, *options: StoreOptions) -> str:
    """Return a name for the store at a location with these options: a SHA-256 of all of them.

    It differs for two servers or two users with one URL, and shows no credentials.
    """
    document = [location.url, *map(asdict, options)]
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def parse_url(url: str) -> Location:
    """Parse a store's URL: s3://bucket/prefix, file:///folder, memory://name or a bare path.

    Raises InvalidUsage for anything else; the message never repeats credentials.
    """
    if "\0" in unquote(url):
        raise InvalidUsage(f"the store's URL {url!r} contains a NUL character")
    if "://" not in url:
        if not url.strip():
            raise InvalidUsage("the store's URL is empty")
        if _ONE_SLASH.match(url):
            raise InvalidUsage(f"expected a store's URL with :// after the scheme, got {url!r}")
        try:
            return Location("file", str(Path(url).expanduser().absolute()))
        except RuntimeError as error:
            raise InvalidUsage(f"the home folder in {url!r} does not exist") from error
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise InvalidUsage("a store's URL must not contain credentials; use the AWS_* variables")
    if "?" in url or "#" in url:
        raise InvalidUsage(f"expected a store's URL without ? and #, got {url!r}")
    match parts.scheme:
        case "file":
            if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
                raise InvalidUsage(f"expected a store's URL file:///absolute/folder, got {url!r}")
            return Location("file", str(Path(unquote(parts.path))))
        case "memory":
            return Location("memory", (parts.netloc + parts.path).strip("/"))
        case "s3":
            prefix = parts.path.strip("/")
            segments = prefix.split("/") if prefix else []
            if not _BUCKET.fullmatch(parts.netloc) or {"", ".", ".."}.intersection(segments):
                raise InvalidUsage(f"expected a store's URL s3://bucket/prefix, got {url!r}")
            return Location("s3", parts.netloc, prefix)
        case _:
            raise InvalidUsage(
                f"expected a store's URL s3://, file:// or memory://, or a path, got {url!r}"
            )

"""The address of a store: its URL in normal form, and its options."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from voxk8s import constants
from voxk8s.errors import InvalidUsage

_ONE_SLASH = re.compile(r"(s3|file|memory|rediss?|https?|gs|az):", re.IGNORECASE)
_REDIS = ("redis", "rediss")
_REDIS_PORT = 6379
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")
_REGION = re.compile(r"[A-Za-z0-9_-]{1,63}")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Options of a store; those that are None come from environment variables.

    `user` and `password` are for Redis (REDIS_USERNAME, REDIS_PASSWORD), the others for S3 (AWS_*).
    Credentials are part of a pickled store, and never of a repr. Prefer the environment variables.
    """

    endpoint: str | None = None
    region: str | None = None
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    allow_http: bool | None = None
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raise InvalidUsage for an endpoint that is no URL or has a password, and an odd region.

        Clients make names of servers from the region, also of those that get tokens of accounts.
        """
        if self.region and not _REGION.fullmatch(self.region):
            raise InvalidUsage(
                f"expected a region of letters, digits, - and _, got {self.region[:63]!r}"
            )
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
        """Return options completed from an environment; credentials only together."""
        options = replace(
            self,
            endpoint=self.endpoint
            or env.get(constants.ENV_S3_OWN_ENDPOINT)
            or env.get(constants.ENV_S3_ENDPOINT)
            or None,
            region=self.region or env.get(constants.ENV_S3_REGION) or constants.DEFAULT_REGION,
        )
        if self.key is None and self.secret is None:
            options = replace(
                options,
                key=env.get(constants.ENV_S3_KEY) or None,
                secret=env.get(constants.ENV_S3_SECRET) or None,
                token=self.token or env.get(constants.ENV_S3_TOKEN) or None,
            )
        if self.user is None and self.password is None:
            options = replace(
                options,
                user=env.get(constants.ENV_REDIS_USER) or None,
                password=env.get(constants.ENV_REDIS_PASSWORD) or None,
            )
        return options


@dataclass(frozen=True, slots=True)
class Location:
    """The parts of a store's URL: `root` is a bucket, folder, name or host:port/database.

    `prefix` is for S3 and Redis only.
    """

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


def store_token(location: Location, domains: tuple[str, ...], *options: StoreOptions) -> str:
    """Return a name for the store at a location with these options: a SHA-256 of all of them.

    It differs for two servers, two users or two lists of trust domains with one URL, and shows no
    credentials.
    """
    document = [location.url, domains, *map(asdict, options)]
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def default_url(env: Mapping[str, str]) -> str:
    """Return the URL of the store that is used when none is given."""
    if url := env.get(constants.ENV_STORE):
        return url
    return str(cache_folder(env) / "store")


def cache_folder(env: Mapping[str, str]) -> Path:
    """Return the absolute path of voxk8s' folder in the user's cache.

    Raises InvalidUsage for a user without a home folder.
    """
    cache = env.get(constants.ENV_CACHE_HOME) or "~/.cache"
    try:
        return Path(cache).expanduser().absolute() / "voxk8s"
    except RuntimeError as error:
        raise InvalidUsage(
            f"expected a folder for the cache, found no home folder for {cache}:"
            f" set HOME, {constants.ENV_CACHE_HOME} or {constants.ENV_STORE}"
        ) from error


def parse_url(url: str) -> Location:
    """Parse a store's URL: s3://, file://, memory:// or redis://, or a bare path.

    Raises InvalidUsage for anything else, and for a URL with credentials (see `split_credentials`);
    the message never repeats them.
    """
    if "\0" in unquote(url):
        raise InvalidUsage(f"the store's URL {url!r} contains a NUL character")
    if "://" not in url:
        if not url.strip():
            raise InvalidUsage("the store's URL is empty")
        if _ONE_SLASH.match(url):
            shown = "one with credentials" if "@" in url else repr(url)
            raise InvalidUsage(f"expected a store's URL with :// after the scheme, got {shown}")
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
        case "redis" | "rediss":
            return _redis(url, parts)
        case _:
            raise InvalidUsage(
                f"expected a store's URL s3://, file://, memory:// or redis://, or a path,"
                f" got {url!r}"
            )


def split_credentials(url: str, options: StoreOptions) -> tuple[str, StoreOptions]:
    """Return the URL of a store in Redis without user and password, which become options.

    Options that are given win. Other URLs are returned as they are.
    """
    if not url.lower().startswith(tuple(f"{scheme}://" for scheme in _REDIS)):
        return url, options
    scheme, _, rest = url.partition("://")
    # The last @: a password may contain one.
    server, slash, path = rest.partition("/")
    if "@" in path:
        raise InvalidUsage("expected / in the password of a store's URL as %2F")
    credentials, mark, host = server.rpartition("@")
    if not mark:
        return url, options
    user, _, password = credentials.partition(":")
    if options.user is None and options.password is None:
        options = replace(options, user=unquote(user) or None, password=unquote(password) or None)
    return f"{scheme}://{host}{slash}{path}", options


def _redis(url: str, parts: SplitResult) -> Location:
    wanted = "expected a store's URL redis://host[:port][/database[/prefix]]"
    database, _, prefix = parts.path.strip("/").partition("/")
    try:
        port = parts.port or _REDIS_PORT
    except ValueError:
        raise InvalidUsage(f"{wanted}, got {url!r}: the port is no number to 65535") from None
    database = database or "0"
    if not parts.hostname or not re.fullmatch(r"[0-9]{1,4}", database):
        raise InvalidUsage(f"{wanted}, the database a number, got {url!r}")
    segments = prefix.split("/") if prefix else []
    if {".", ".."}.intersection(segments) or not all(map(_SEGMENT.fullmatch, segments)):
        raise InvalidUsage(f"{wanted}, the prefix of letters, digits and ._-/, got {url!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Location(parts.scheme, f"{host}:{port}/{int(database)}", prefix)

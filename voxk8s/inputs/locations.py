"""Where inputs lie: URLs, what may be read, and the file systems behind them.

`file`, `s3`, `http` and `https` URLs and bare local paths. Errors of all file systems become
InputUnavailable (final), InputUnreachable (worth another try) or InputNotAllowed, each with the
URL.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote, urlsplit

from voxk8s import constants
from voxk8s.errors import InputNotAllowed, InputUnavailable, InputUnreachable
from voxk8s.settings import read_flag

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_REMOTE: Final = ("s3", "http", "https")
_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class InputOptions:
    """What inputs may be read, and with which credentials those on S3.

    Without `key` the usual sources of credentials are asked (environment, profile, service
    account). `allowed_prefixes` None allows any place.
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
        """Read the options from AWS's usual variables and voxk8s's own."""
        prefixes = tuple(env.get(constants.ENV_INPUT_PREFIXES, "").split())
        return cls(
            local_allowed=read_flag(env, constants.ENV_LOCAL_INPUTS, True),
            endpoint=env.get("AWS_ENDPOINT_URL_S3") or env.get(constants.ENV_S3_ENDPOINT) or None,
            region=env.get(constants.ENV_S3_REGION) or env.get("AWS_DEFAULT_REGION") or None,
            key=env.get("AWS_ACCESS_KEY_ID") or None,
            secret=env.get("AWS_SECRET_ACCESS_KEY") or None,
            token=env.get("AWS_SESSION_TOKEN") or None,
            allowed_prefixes=prefixes or None,
        )


@dataclass(frozen=True, slots=True)
class Location:
    """A place that may be read: `path` is the name that its file system uses."""

    url: str
    scheme: str
    path: str

    @property
    def is_local(self) -> bool:
        """Whether it lies on this machine."""
        return self.scheme == "file"


def locate(url: str, options: InputOptions) -> Location:
    """Take a URL or path apart; raises InputNotAllowed if it may not be read from here."""
    if not isinstance(url, str):  # a computed value, checked by nobody before
        raise InputUnavailable(f"input {url!r}: must be a path or a URL")
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower() if separator else "file"
    if scheme == "file":
        path = os.path.abspath(unquote(urlsplit(url).path) if separator else url)
        if not url or "\0" in url:
            raise InputUnavailable(f"input {url!r}: not a path")
        location = Location(url, scheme, path)
        if not options.local_allowed:
            raise InputNotAllowed(
                f"input {url}: local paths and file:// URLs are not read here; put the file where"
                " the workers can reach it, on S3 for instance, and give its s3:// URL"
            )
    elif scheme in _REMOTE:
        location = Location(url, scheme, rest if scheme == "s3" else url)
        if not rest.strip("/"):
            raise InputUnavailable(f"input {url}: the URL names no file")
    else:
        raise InputNotAllowed(
            f"input {url}: {scheme}:// is not read; use a path, file://, s3://, http:// or https://"
        )
    if options.allowed_prefixes is not None and not any(
        _below(location, prefix) for prefix in options.allowed_prefixes
    ):
        raise InputNotAllowed(
            f"input {url}: not below one of the allowed places"
            f" ({', '.join(options.allowed_prefixes)})"
        )
    return location


def file_system(location: Location, options: InputOptions) -> AbstractFileSystem:
    """Give the file system of a location; instances are shared by equal options."""
    import fsspec

    if location.scheme == "file":
        return fsspec.filesystem("file")
    if location.scheme == "s3":
        config: dict[str, object] = {
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
            "retries": {"max_attempts": 2, "mode": "standard"},
        }
        if options.endpoint:
            # A server of one's own seldom has a DNS name for each bucket.
            config["s3"] = {"addressing_style": "path"}
        return fsspec.filesystem(
            "s3",
            key=options.key,
            secret=options.secret,
            token=options.token,
            endpoint_url=options.endpoint,
            client_kwargs={"region_name": options.region} if options.region else {},
            config_kwargs=config,
            use_listings_cache=False,
        )
    import aiohttp

    timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS)
    return fsspec.filesystem("http", client_kwargs={"timeout": timeout}, use_listings_cache=False)


def preload() -> None:
    """Load what reads S3, so that the first input need not wait for it; sends no request."""
    nobody = InputOptions.from_env(
        {"AWS_ENDPOINT_URL": "http://localhost", constants.ENV_S3_REGION: "none"}
        | dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "none")
    )
    file_system(Location("s3://none", "s3", "none"), nobody).connect()


@contextmanager
def reading(location: Location) -> Iterator[None]:
    """Convert what a file system raises inside the block into this package's errors."""
    try:
        yield
    except (InputUnavailable, InputUnreachable, InputNotAllowed):
        raise
    except Exception as error:
        converted = _converted(location, error)
        if converted is None:
            raise
        raise converted from error


def _converted(
    location: Location, error: BaseException
) -> InputUnavailable | InputUnreachable | None:
    causes = _causes(error)
    root = causes[-1]
    status = _http_status(root)
    url = location.url
    if status is not None and status not in (408, 429) and status < 500:
        reason = {401: "access is denied", 403: "access is denied", 404: "it does not exist"}.get(
            status, f"the server answers {status}"
        )
        return InputUnavailable(f"input {url}: {reason}")
    if status is not None:
        return InputUnreachable(f"input {url}: the server answers {status}")
    network = next((cause for cause in causes if _is_network(cause)), None)
    if network is not None:
        return InputUnreachable(f"input {url}: {type(network).__name__}: {network}")
    if isinstance(error, FileNotFoundError):
        return InputUnavailable(f"input {url}: it does not exist")
    if isinstance(error, PermissionError):
        return InputUnavailable(f"input {url}: access is denied")
    if isinstance(error, IsADirectoryError):
        return InputUnavailable(f"input {url}: it is a folder, not a file")
    if isinstance(error, NotADirectoryError):
        return InputUnavailable(f"input {url}: it is a file, not a folder")
    if type(root).__module__.startswith("botocore"):
        return InputUnavailable(f"input {url}: {root}")
    if isinstance(error, OSError):
        if location.is_local:
            return InputUnavailable(f"input {url}: {error.strerror or error}")
        return InputUnreachable(f"input {url}: {error}")
    return None


def _causes(error: BaseException) -> list[BaseException]:
    """Give an error and what caused it, the first cause last."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    return causes


def _http_status(error: BaseException) -> int | None:
    status = getattr(error, "status", None)  # aiohttp's ClientResponseError
    if isinstance(status, int):
        return status
    response = getattr(error, "response", None)  # botocore's ClientError
    if isinstance(response, Mapping):
        metadata = cast("Mapping[str, object]", response.get("ResponseMetadata", {}))
        status = metadata.get("HTTPStatusCode")
    return status if isinstance(status, int) else None


def _is_network(error: BaseException) -> bool:
    name = type(error).__name__
    module = type(error).__module__
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return True
    if module.startswith("aiohttp"):
        return name != "InvalidURL"
    return module.startswith("botocore") and (
        "Connect" in name or "Timeout" in name or "HTTPClient" in name or "Connection" in name
    )


def _below(location: Location, prefix: str) -> bool:
    base = prefix.rstrip("/")
    if location.is_local:
        path = os.path.realpath(location.path)
        base = os.path.realpath(unquote(urlsplit(base).path) if "://" in base else base)
        return path == base or path.startswith(f"{base.rstrip('/')}/")
    if ".." in location.path.split("/"):
        return False
    return location.url == base or location.url.startswith(f"{base}/")

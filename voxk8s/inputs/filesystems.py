"""The fsspec file systems behind locations, and their errors as errors of this package."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from voxk8s import constants
from voxk8s.errors import InputNotAllowed, InputUnavailable, InputUnreachable
from voxk8s.failure import error_text
from voxk8s.inputs.addresses import AddressRefused, open_session, socket_factory
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import Location

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 60
_HTTP_REASONS: Final = {401: "access is denied", 403: "access is denied", 404: "it does not exist"}


def file_system(location: Location, options: InputOptions) -> AbstractFileSystem:
    """Return the file system of a location; fsspec shares instances between equal options."""
    import fsspec

    if location.scheme == "file":
        return fsspec.filesystem("file")
    if location.is_in_volume:
        raise InputNotAllowed(f"input {location.url}: only inputs may be in a volume")
    if location.scheme == "s3":
        config: dict[str, object] = {
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
            "retries": {"max_attempts": 2, "mode": "standard"},
        }
        if options.endpoint:
            # Self-hosted servers seldom have a DNS name for each bucket.
            config["s3"] = {"addressing_style": "path"}
        if options.s3_public_only:
            _check_server(location, options)
            # A name may have another address by the time of a request.
            config["connector_args"] = {"socket_factory": socket_factory(options.s3_address_rules)}
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
    rules = options.address_rules
    return fsspec.filesystem(
        "http",
        client_kwargs={"timeout": timeout, "rules": rules, "exempt": rules.exempts(location.url)},
        get_client=open_session,
        use_listings_cache=False,
    )


def preload_s3() -> None:
    """Import the S3 client, so that the first input need not wait for it; sends no request."""
    unused = InputOptions.from_env(
        {constants.ENV_S3_ENDPOINT: "http://localhost", constants.ENV_S3_REGION: "none"}
        | dict.fromkeys((constants.ENV_S3_KEY, constants.ENV_S3_SECRET), "none")
    )
    file_system(Location("s3://none", "s3", "none"), unused).connect()


@contextmanager
def convert_errors(location: Location) -> Iterator[None]:
    """Convert errors of file systems that are raised inside the block.

    They become InputUnavailable (permanent) or InputUnreachable (transient), with the URL.
    """
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
) -> InputUnavailable | InputUnreachable | InputNotAllowed | None:
    causes = _causes(error)
    root = causes[-1]
    refused = next((cause for cause in causes if isinstance(cause, AddressRefused)), None)
    if refused is not None:
        if location.scheme == "s3":
            return _strange_server(location)
        return InputNotAllowed(
            f"input {location.url}: {refused}; only servers with public addresses are allowed here,"
            f" and those below the prefixes of {constants.ENV_INPUT_PREFIXES}"
        )
    status = _http_status(root)
    url = location.url
    if status is not None and status not in (408, 429) and status < 500:
        reason = _HTTP_REASONS.get(status, f"the server answers {status}")
        return InputUnavailable(f"input {url}: {reason}")
    if status is not None:
        return InputUnreachable(f"input {url}: the server answers {status}")
    if _is_invalid_url(root):
        return InputUnavailable(f"input {url}: it is not a valid URL")
    network = next((cause for cause in causes if _is_network(cause)), None)
    if network is not None:
        return InputUnreachable(f"input {url}: {error_text(network)}")
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


def _check_server(location: Location, options: InputOptions) -> None:
    """Raise InputNotAllowed for an S3 server at a refused address: its client would try again."""
    host = urlsplit(options.endpoint or "").hostname
    if host is None:
        return
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return  # the client says why
    if not all(options.s3_address_rules.allows(str(address[0])) for *_, address in found):
        raise _strange_server(location)


def _strange_server(location: Location) -> InputNotAllowed:
    return InputNotAllowed(
        f"input {location.url}: its S3 server, which spec.store.endpoint names, has no public"
        " address, nor one of the networks that the chart allows"
    )


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and its chain of causes, the root cause last."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    # The client of S3 names what it met only as the context.
    if isinstance(causes[-1].__context__, AddressRefused):
        causes.append(causes[-1].__context__)
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


def _is_invalid_url(error: BaseException) -> bool:
    name = type(error).__name__.lower()
    return type(error).__module__.startswith("aiohttp") and "url" in name


def _is_network(error: BaseException) -> bool:
    name = type(error).__name__
    module = type(error).__module__
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return True
    if module.startswith("aiohttp"):
        return not _is_invalid_url(error)
    return module.startswith("botocore") and (
        "Connect" in name or "Timeout" in name or "HTTPClient" in name or "Connection" in name
    )

"""Locations of inputs: `file`, `s3`, `http`, `https` and `pvc` URLs and bare local paths."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from voxk8s.errors import InputNotAllowed, InputUnavailable
from voxk8s.inputs import volumes
from voxk8s.inputs.confinement import is_below_url
from voxk8s.inputs.input_options import InputOptions

_REMOTE: Final = ("s3", "http", "https")


@dataclass(frozen=True, slots=True)
class Location:
    """The location of a file or folder; `path` is its name in the file system of `scheme`.

    `base` is the folder of its volume if it is in one.
    """

    url: str
    scheme: str
    path: str
    base: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, and may be read by its path."""
        return self.scheme == "file"

    @property
    def is_in_volume(self) -> bool:
        """Whether it is in a volume: it is read with the functions of `volumes`."""
        return self.scheme == volumes.SCHEME


def locate(url: str, options: InputOptions) -> Location:
    """Parse a URL or path; raises InputNotAllowed if `options` do not allow to read it."""
    if not isinstance(url, str):  # the computed argument of an operation may have any type
        raise InputUnavailable(f"input {url!r}: expected a path or a URL, got {url!r}")
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower() if separator else "file"
    if scheme == "file":
        path = os.path.abspath(unquote(urlsplit(url).path) if separator else url)
        if not url or "\0" in url:
            raise InputUnavailable(f"input {url!r}: not a path")
        location = Location(url, scheme, path)
        if not options.local_allowed:
            raise InputNotAllowed(
                f"input {url}: local paths and file:// URLs are not allowed here; upload the file"
                " to where the workers can read it, such as S3, and use its s3:// URL"
            )
    elif scheme == volumes.SCHEME:
        return Location(url, scheme, *volumes.find(url, options.volumes))
    elif scheme in _REMOTE:
        location = Location(url, scheme, rest if scheme == "s3" else url)
        if not rest.strip("/"):
            raise InputUnavailable(f"input {url}: the URL has no path")
    else:
        raise InputNotAllowed(
            f"input {url}: {scheme}:// URLs are not supported; use a path or a file://, s3://,"
            " http://, https:// or pvc:// URL"
        )
    confinement = options.confinement
    if confinement is not None and not (
        confinement.allows_path(location.path)
        if location.is_local
        else confinement.allows_url(location.url)
    ):
        raise InputNotAllowed(f"input {url}: {_confined(location)}")
    if options.allowed_prefixes is not None and not any(
        _is_below(location, prefix) for prefix in options.allowed_prefixes
    ):
        raise InputNotAllowed(
            f"input {url}: not below one of the allowed prefixes"
            f" ({', '.join(options.allowed_prefixes)}){_why_none(location, options)}"
        )
    return location


def _why_none(location: Location, options: InputOptions) -> str:
    """Return why no prefix is on S3; empty if one is."""
    prefixes = options.allowed_prefixes or ()
    if location.scheme != "s3" or any(prefix.lower().startswith("s3:") for prefix in prefixes):
        return ""
    return (
        "; those of a cluster that are on S3 are for runs whose store is at the chart's S3 server"
    )


def _is_below(location: Location, prefix: str) -> bool:
    base = prefix.rstrip("/")
    if location.is_local:
        path = os.path.realpath(location.path)
        base = os.path.realpath(unquote(urlsplit(base).path) if "://" in base else base)
        return path == base or path.startswith(f"{base.rstrip('/')}/")
    return is_below_url(location.url, prefix)


def _confined(location: Location) -> str:
    """Return why a program may not read a location, and what allows it."""
    if location.is_local:
        word = shlex.quote(location.path)
        where = "it is outside of the folder of the program and the current folder, or hidden"
    else:
        scheme, _, rest = location.url.partition("://")
        word = shlex.quote(f"{scheme}://{rest.partition('/')[0]}/")
        where = "its URL is computed during the run, and could carry what the program has read"
    return f"{where}; if you trust the program: --allow {word}"

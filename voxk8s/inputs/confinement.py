"""What a program that a user has not read may read and write on the user's machine.

Below its own folder and the current one it may use what is not hidden; elsewhere what the user has
named. Links are resolved, so that none leads out. What the program itself spells out may be read by
its URL: only one that is computed during the run could carry what the program has read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Confinement:
    """What may be read and written: all resolved paths, and URLs.

    Below `folders` is what is not hidden, below `named` everything. `urls` are allowed as they are,
    and `prefixes` with all below them.
    """

    folders: tuple[str, ...]
    named: tuple[str, ...] = ()
    urls: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        folders: Iterable[str],
        named: Iterable[str] = (),
        urls: Iterable[str] = (),
        prefixes: Iterable[str] = (),
    ) -> Confinement:
        """Return a confinement to folders, named paths or URL prefixes, and URLs."""
        words = [*named, *prefixes]
        remote = [word for word in words if is_remote(word)]
        return cls(
            tuple(dict.fromkeys(os.path.realpath(folder) for folder in folders)),
            tuple(os.path.realpath(local_path(word)) for word in words if not is_remote(word)),
            frozenset(urls),
            tuple(remote),
        )

    def allows_path(self, path: str) -> bool:
        """Whether a local path may be read or written."""
        real = os.path.realpath(path)
        if any(_relative(real, each) is not None for each in self.named):
            return True
        for folder in self.folders:
            below = _relative(real, folder)
            if below is not None:
                return not any(part.startswith(".") for part in below.split(os.sep))
        return False

    def allows_url(self, url: str) -> bool:
        """Whether a URL of another machine may be read."""
        return url in self.urls or any(is_below_url(url, prefix) for prefix in self.prefixes)


def is_remote(word: str) -> bool:
    """Whether a path or URL is that of another machine."""
    return "://" in word and not word.lower().startswith("file:")


def local_path(word: str) -> str:
    """Return the path of a local path or file:// URL."""
    return unquote(urlsplit(word).path) if "://" in word else word


def is_below_url(url: str, prefix: str) -> bool:
    """Whether a URL is a prefix, or below it; dots that lead up do not help, however written."""
    if url == prefix:
        return True
    if any(sign < " " for sign in url):  # parsers of URLs drop tabs and line breaks
        return False
    base = prefix.rstrip("/")
    path = unquote(unquote(url)).replace("\\", "/")
    if ".." in re.split("[/?#]", path):
        return False
    return url == base or url.startswith(f"{base}/")


def _relative(path: str, base: str) -> str | None:
    """Return a path relative to a folder; None if it is elsewhere, and empty for the folder."""
    if path == base:
        return ""
    start = base.rstrip(os.sep) + os.sep
    return path[len(start) :] if path.startswith(start) else None

"""Opens stores; the default store of this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from voxk8s import constants
from voxk8s.storage.result_store import ResultStore
from voxk8s.storage.store_options import (
    StoreOptions,
    default_url,
    parse_url,
    split_credentials,
)
from voxk8s.storage.trust_domain import choose_domains, split_root

_lock = threading.Lock()
_current: ResultStore | None = None


def open_store(
    url: str | None = None,
    *,
    domain: str | None = None,
    trusts: Iterable[str] | None = None,
    options: StoreOptions | None = None,
    env: Mapping[str, str] | None = None,
) -> ResultStore:
    """Open a result store: s3://bucket/prefix, file:///folder, memory://name or a path.

    Also redis://[user:password@]host[:port][/database[/prefix]], and rediss:// for TLS. Without a
    URL, open the store of VOXK8S_STORE, else a folder in the user's cache. Options that are not
    given come from the AWS_* and REDIS_* variables of `env` (by default those of the process). A
    folder is created if it is missing; a server gets no request before the first use.

    Results are written in the trust domain `domain` only, by default that of VOXK8S_STORE_DOMAIN,
    else `shared`, and read there first, then in the domains that it `trusts`, in order (by default
    VOXK8S_STORE_TRUSTS, separated by commas). A URL that ends with domains/NAME names a domain.

    Raises InvalidUsage for an invalid URL, invalid options, or names of domains that are no DNS
    labels.
    """
    known = os.environ if env is None else env
    if url is None and not known.get(constants.ENV_STORE):
        _make_private(Path(default_url(known)))
    wanted, given = split_credentials(
        default_url(known) if url is None else url, options or StoreOptions()
    )
    location, named = split_root(parse_url(wanted))
    domains = choose_domains(
        named,
        domain,
        trusts,
        known.get(constants.ENV_STORE_DOMAIN, ""),
        known.get(constants.ENV_STORE_TRUSTS, ""),
    )
    return ResultStore(location, given, given.filled(known), domains=domains)


def open_root(url: str, options: StoreOptions | None = None) -> ResultStore:
    """Open the store at exactly this URL, that of a result: whatever this process's domain is.

    With options that have keys, the environment adds nothing.
    """
    if options is not None and options.key:
        return open_store(url, options=options, env={})
    env = dict(os.environ)
    for name in (constants.ENV_STORE_DOMAIN, constants.ENV_STORE_TRUSTS):
        env.pop(name, None)
    return open_store(url, options=options, env=env)


def _make_private(folder: Path) -> None:
    """Create the default store for its user alone; those of earlier releases were open to all."""
    with suppress(OSError):  # opening it says what is wrong
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid == os.getuid():
            folder.chmod(0o700)


def get_storage(url: str | None = None) -> ResultStore:
    """Return the store of this process (opened on first use), or the one at `url`."""
    global _current
    if url is not None:
        return open_store(url)
    with _lock:
        if _current is None:
            _current = open_store()
        return _current


def set_storage(store: ResultStore | None) -> None:
    """Set the store of this process; None restores the default."""
    global _current
    with _lock:
        _current = store

"""Opens the store that a command names: by URL, trust domain and trusted domains."""

from __future__ import annotations

import argparse

from voxk8s.storage import ResultStore, open_store
from voxk8s.storage.trust_domain import domain_names


def open_named_store(arguments: argparse.Namespace) -> ResultStore:
    """Open the store of --store, --domain and --trusts, or those of the environment."""
    trusts = None if arguments.trusts is None else domain_names(arguments.trusts)
    return open_store(arguments.store, domain=arguments.domain, trusts=trusts)

"""What the operator reads and writes for a WorkPlan: no more than its run may. Pure.

With credentials of the run's domain the store sees to that. With the operator's own, which may do
more, it is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from voxk8s.cluster.output_url import STORE_FOLDERS
from voxk8s.cluster.store_target import StoreTarget
from voxk8s.controller.config import StoreConfig
from voxk8s.controller.trust import for_domain
from voxk8s.inputs.s3_target import s3_target
from voxk8s.storage.store_options import parse_url
from voxk8s.storage.trust_domain import domain_folders


@dataclass(frozen=True, slots=True)
class Reach:
    """URL prefixes of the inputs and sources that are read, and of the saved files written."""

    read: tuple[str, ...]
    write: tuple[str, ...]


def reach_of(target: StoreTarget, config: StoreConfig, *, own: bool) -> Reach:
    """Return what may be read and written for a run; `own` is with the operator's credentials.

    Nothing is written with those: what the run's identity may write is not known here. Where there
    are several domains, they read what the chart names for the run's domain.
    """
    if not own:
        return Reach(config.prefixes, (f"{target.url.rstrip('/')}/",))
    if not config.trust.divides:
        return Reach(config.prefixes, ())
    return Reach(tuple(dict.fromkeys(_of_domain(target, config))), ())


def _of_domain(target: StoreTarget, config: StoreConfig) -> Iterator[str]:
    store, own = parse_url(target.url), target.domains.own
    for domain in (own, *target.domains.trusts):
        yield from (f"{folder.url}/" for folder in domain_folders(store, domain))
    session = config.session
    yield from for_domain((*session.read_prefixes, *session.write_prefixes), own)
    yield from (prefix for prefix in config.prefixes if not _has_results(prefix, target.url))


def _has_results(prefix: str, store: str) -> bool:
    """Whether folders of a store lie below a prefix, or around it: it says nothing of a domain."""
    try:
        root, named = s3_target(store), s3_target(prefix)
    except ValueError:
        return False  # they are not both on S3
    if root.bucket.lower() != named.bucket.lower():
        return False
    parts, within = named.canonical, root.canonical
    if within[: len(parts)] == parts:
        return True
    return parts[: len(within)] == within and parts[len(within)] in STORE_FOLDERS

"""Where results live: records and content-addressed blobs in S3, Redis, a folder or memory.

`result_store` puts and gets values: `value_codec` encodes them, `record_store` and `blob_store`
keep them at the paths of `layout`, in objects of a back end (`open_backend`). `quarantine` checks
all that is read.

Names are loaded on first use: a run needs nothing of `upkeep`, and few other modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voxk8s.lazy import lazy_names

if TYPE_CHECKING:
    from voxk8s.storage.backend import UnsupportedUpdate as UnsupportedUpdate
    from voxk8s.storage.counters import Counts as Counts
    from voxk8s.storage.default_store import get_storage as get_storage
    from voxk8s.storage.default_store import open_root as open_root
    from voxk8s.storage.default_store import open_store as open_store
    from voxk8s.storage.default_store import set_storage as set_storage
    from voxk8s.storage.lease import Holder as Holder
    from voxk8s.storage.lease import Lease as Lease
    from voxk8s.storage.miss import MISS as MISS
    from voxk8s.storage.miss import Miss as Miss
    from voxk8s.storage.probe import Probe as Probe
    from voxk8s.storage.put_outcome import PutResult as PutResult
    from voxk8s.storage.put_outcome import PutStatus as PutStatus
    from voxk8s.storage.record import Provenance as Provenance
    from voxk8s.storage.record import Record as Record
    from voxk8s.storage.result_store import ResultStore as ResultStore
    from voxk8s.storage.store_options import StoreOptions as StoreOptions
    from voxk8s.storage.store_options import default_url as default_url
    from voxk8s.storage.store_stats import StoreStats as StoreStats
    from voxk8s.storage.trust_domain import TrustDomains as TrustDomains
    from voxk8s.storage.upkeep.adopt import Adoption as Adoption
    from voxk8s.storage.upkeep.gc import Collection as Collection
    from voxk8s.storage.upkeep.gc_policy import Limits as Limits
    from voxk8s.storage.upkeep.invalidate import Invalidation as Invalidation
    from voxk8s.storage.upkeep.selection import LibraryCondition as LibraryCondition
    from voxk8s.storage.upkeep.selection import Selection as Selection
    from voxk8s.storage.upkeep.selection import parse_library as parse_library
    from voxk8s.storage.upkeep.verify import Verification as Verification

_HOMES = {
    "Adoption": ".upkeep.adopt",
    "Collection": ".upkeep.gc",
    "Counts": ".counters",
    "Holder": ".lease",
    "Invalidation": ".upkeep.invalidate",
    "Lease": ".lease",
    "LibraryCondition": ".upkeep.selection",
    "Limits": ".upkeep.gc_policy",
    "MISS": ".miss",
    "Miss": ".miss",
    "Probe": ".probe",
    "Provenance": ".record",
    "PutResult": ".put_outcome",
    "PutStatus": ".put_outcome",
    "Record": ".record",
    "ResultStore": ".result_store",
    "Selection": ".upkeep.selection",
    "StoreOptions": ".store_options",
    "StoreStats": ".store_stats",
    "TrustDomains": ".trust_domain",
    "UnsupportedUpdate": ".backend",
    "Verification": ".upkeep.verify",
    "default_url": ".store_options",
    "get_storage": ".default_store",
    "open_root": ".default_store",
    "open_store": ".default_store",
    "parse_library": ".upkeep.selection",
    "set_storage": ".default_store",
}
__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)

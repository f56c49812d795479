"""Where results live: records and content-addressed blobs in S3, Redis, a folder or memory.

`result_store` puts and gets values: `value_codec` encodes them, `record_store` and `blob_store`
keep them at the paths of `layout`, in objects of a back end (`open_backend`). `quarantine` checks
all that is read.
"""

from voxk8s.describe import summary as describe
from voxk8s.storage.backend import UnsupportedUpdate
from voxk8s.storage.counters import Counts
from voxk8s.storage.default_store import (
    default_url,
    get_storage,
    open_root,
    open_store,
    set_storage,
)
from voxk8s.storage.lease import Holder, Lease
from voxk8s.storage.miss import MISS, Miss
from voxk8s.storage.probe import Probe
from voxk8s.storage.put_outcome import PutResult, PutStatus
from voxk8s.storage.record import Provenance, Record
from voxk8s.storage.result_store import ResultStore
from voxk8s.storage.store_options import StoreOptions
from voxk8s.storage.store_stats import StoreStats
from voxk8s.storage.trust_domain import TrustDomains
from voxk8s.storage.upkeep.adopt import Adoption
from voxk8s.storage.upkeep.gc import Collection
from voxk8s.storage.upkeep.gc_policy import Limits
from voxk8s.storage.upkeep.invalidate import Invalidation
from voxk8s.storage.upkeep.selection import LibraryCondition, Selection, parse_library
from voxk8s.storage.upkeep.verify import Verification

__all__ = [
    "MISS",
    "Adoption",
    "Collection",
    "Counts",
    "Holder",
    "Invalidation",
    "Lease",
    "LibraryCondition",
    "Limits",
    "Miss",
    "Probe",
    "Provenance",
    "PutResult",
    "PutStatus",
    "Record",
    "ResultStore",
    "Selection",
    "StoreOptions",
    "StoreStats",
    "TrustDomains",
    "UnsupportedUpdate",
    "Verification",
    "default_url",
    "describe",
    "get_storage",
    "open_root",
    "open_store",
    "parse_library",
    "set_storage",
]

"""Where results live: records and content-addressed blobs in S3, a folder or memory."""

from voxk8s.storage.counters import Counts, StoreStats
from voxk8s.storage.default import default_url, get_storage, open_store, set_storage
from voxk8s.storage.describe import describe
from voxk8s.storage.miss import MISS, Miss
from voxk8s.storage.options import StoreOptions
from voxk8s.storage.probe import Probe
from voxk8s.storage.record import Provenance, Record
from voxk8s.storage.results import PutResult, PutStatus, ResultStore

__all__ = [
    "MISS",
    "Counts",
    "Miss",
    "Probe",
    "Provenance",
    "PutResult",
    "PutStatus",
    "Record",
    "ResultStore",
    "StoreOptions",
    "StoreStats",
    "default_url",
    "describe",
    "get_storage",
    "open_store",
    "set_storage",
]

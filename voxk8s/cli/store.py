"""`voxk8s store`: what the result store holds."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from voxk8s.cli.output import dump
from voxk8s.storage import open_store


def run(arguments: argparse.Namespace) -> int:
    """Count records and blobs."""
    store = open_store(arguments.store)
    stats = store.stats()
    if arguments.json:
        figures = asdict(stats)
        del figures["counts"]
        print(dump({"url": store.url, **figures}))
        return 0
    print(f"store        {store.url}")
    print(f"results      {stats.records:,} ({_bytes(stats.record_bytes)} of records)")
    print(f"blobs        {stats.blobs:,} ({_bytes(stats.blob_bytes)})")
    print(f"quarantined  {stats.quarantined:,}")
    return 0


def _bytes(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"

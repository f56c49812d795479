"""`voxk8s store`: statistics, verification, garbage collection and invalidation of a store."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict

from voxk8s.cli.run_output import dump
from voxk8s.cli.terminal_text import CLEAR, size_text
from voxk8s.errors import InvalidUsage
from voxk8s.storage import (
    Collection,
    Limits,
    ResultStore,
    Selection,
    Verification,
    open_store,
    parse_library,
)

_EVERY = 0.5
_PINS_KEPT = 90 * 86_400.0
"""A pin that is missing costs one more reading of an input; costs are measured again."""


def run(arguments: argparse.Namespace) -> int:
    """Run an action; return 1 if a verification found a fault."""
    if arguments.action == "adopt":
        return _adopt(arguments)
    store = open_store(arguments.store, domain=arguments.domain, trusts=())
    match arguments.action:
        case "stats":
            return _stats(arguments, store)
        case "verify":
            return _verify(arguments, store)
        case "invalidate":
            return _invalidate(arguments, store)
        case _:
            return _collect(arguments, store)


def _stats(arguments: argparse.Namespace, store: ResultStore) -> int:
    stats = store.stats()
    if arguments.json:
        figures = asdict(stats)
        del figures["counts"]
        print(dump({"url": store.url, **figures}))
        return 0
    print(f"store        {store.url}")
    print(f"results      {stats.records:,} ({size_text(stats.record_bytes)} of records)")
    print(f"blobs        {stats.blobs:,} ({size_text(stats.blob_bytes)})")
    print(f"runs         {stats.run_files:,} files ({size_text(stats.run_bytes)})")
    print(f"pins         {stats.pins:,}")
    print(f"leases       {stats.leases:,}")
    print(f"costs        {stats.costs:,} ({size_text(stats.cost_bytes)})")
    print(f"quarantined  {stats.quarantined:,} ({size_text(stats.quarantined_bytes)})")
    print(f"unfinished   {stats.unfinished:,} ({size_text(stats.unfinished_bytes)})")
    return 0


def _verify(arguments: argparse.Namespace, store: ResultStore) -> int:
    with Progress(quiet=bool(arguments.quiet)) as progress:
        found = store.verify(progress)
    if arguments.json:
        print(dump({"url": store.url, "sound": found.sound, **asdict(found)}))
    else:
        _write_verification(store, found)
    return 0 if found.sound else 1


def _write_verification(store: ResultStore, found: Verification) -> None:
    print(f"store        {store.url}")
    print(f"results      {found.records:,}")
    print(f"blobs        {found.blobs:,} ({size_text(found.blob_bytes)})")
    print(f"costs        {found.costs:,}")
    print(
        f"orphans      {found.orphans:,} ({size_text(found.orphan_bytes)}; harmless, see store gc)"
    )
    print(f"corrupt      {found.corrupt_count:,}")
    for path in found.corrupt:
        print(f"  {path} (moved to quarantine/)")
    print(f"dangling     {found.dangling_count:,}")
    for key in found.dangling:
        print(f"  {key} (its blob is missing: computed again when needed)")
    print(f"pins         {found.pins:,}")
    print(
        "\nThis shows what was damaged: all other blobs have the bytes of their digests, and all\n"
        "other records and pins are as they were written. It cannot show that a value is right:\n"
        f"whoever may write in the trust domain {store.domains.own} may have forged it."
    )


def _collect(arguments: argparse.Namespace, store: ResultStore) -> int:
    runs, pins = arguments.runs_older_than, arguments.pins_older_than
    older_than = arguments.older_than
    limits = Limits(
        older_than,
        arguments.max_size,
        arguments.grace,
        runs_older_than=older_than if runs is None else runs,
        pins_older_than=(older_than or _PINS_KEPT) if pins is None else pins,
    )
    with Progress(quiet=bool(arguments.quiet)) as progress:
        if not arguments.dry_run:
            store.check_clock()
        done = store.collect(limits, dry_run=arguments.dry_run, tell=progress)
    if arguments.json:
        print(dump({"url": store.url, "dry_run": arguments.dry_run, **_figures(done)}))
        return 0
    word = "to delete" if arguments.dry_run else "deleted"
    print(f"store        {store.url}")
    print(
        f"{word:<12} {done.results:,} results, {done.blobs:,} blobs, {done.runs:,} runs,"
        f" {done.pins:,} pins, {done.other:,} other objects ({size_text(done.bytes)})"
    )
    print(
        f"left         {done.results_left:,} results, {done.blobs_left:,} blobs"
        f" ({size_text(done.bytes_left)})"
    )
    if arguments.max_size is not None and done.bytes_left > arguments.max_size:
        print(
            "voxk8s: still larger than --max-size: the rest was used within the grace period",
            file=sys.stderr,
        )
    return 0


def _invalidate(arguments: argparse.Namespace, store: ResultStore) -> int:
    library = None if arguments.library is None else parse_library(arguments.library)
    selection = Selection(arguments.kernel, arguments.version, library)
    with Progress(quiet=bool(arguments.quiet)) as progress:
        done = store.invalidate(selection, dry_run=arguments.dry_run, tell=progress)
    if done.hint:
        print(f"voxk8s: nothing is selected: {done.hint}", file=sys.stderr)
    if arguments.json:
        print(
            dump(
                {
                    "url": store.url,
                    "dry_run": arguments.dry_run,
                    "results_selected": done.selected,
                    "results_dependent": done.dependent,
                    "results_left": done.left,
                    "by_kernel": done.by_kernel,
                }
            )
        )
        return 0
    word = "to delete" if arguments.dry_run else "deleted"
    print(f"store        {store.url}")
    print(
        f"{word:<12} {done.selected:,} results of the selected kernels,"
        f" {done.dependent:,} computed from them"
    )
    for kernel, count in done.by_kernel.items():
        print(f"  {count:>10,} {kernel}")
    print(f"left         {done.left:,} results")
    return 0


def _adopt(arguments: argparse.Namespace) -> int:
    store = open_store(arguments.store, domain=arguments.into, trusts=())
    if arguments.source == arguments.into:
        raise InvalidUsage("expected two different trust domains in --from and --into")
    with Progress(quiet=bool(arguments.quiet)) as progress:
        done = store.adopt(
            arguments.source, kernel=arguments.kernel, dry_run=arguments.dry_run, tell=progress
        )
    if arguments.json:
        figures = {
            "results_copied": done.results,
            "bytes_copied": done.bytes,
            "results_existing": done.existing,
            "results_different": done.different,
            "results_unreadable": done.unreadable,
        }
        print(dump({"url": store.url, "dry_run": arguments.dry_run, **figures}))
        return 0
    word = "to copy" if arguments.dry_run else "copied"
    print(f"store        {store.url}")
    print(f"{word:<12} {done.results:,} results ({size_text(done.bytes)}) from {arguments.source}")
    print(f"existing     {done.existing:,}")
    print(f"different    {done.different:,} (the value of {arguments.into} stays)")
    print(f"unreadable   {done.unreadable:,} (corrupt or incomplete in {arguments.source})")
    return 0


def _figures(done: Collection) -> Mapping[str, int]:
    return {
        "results_deleted": done.results,
        "blobs_deleted": done.blobs,
        "runs_deleted": done.runs,
        "pins_deleted": done.pins,
        "others_deleted": done.other,
        "bytes_deleted": done.bytes,
        "results_left": done.results_left,
        "blobs_left": done.blobs_left,
        "bytes_left": done.bytes_left,
    }


class Progress:
    """A progress line on the terminal: what is read or deleted, and how many so far."""

    def __init__(self, *, quiet: bool) -> None:
        """Print nothing if `quiet`, or if standard error is not a terminal."""
        self._live = not quiet and sys.stderr.isatty()
        self._last = float("-inf")

    def __call__(self, what: str, count: int) -> None:
        """Update the line."""
        if self._live and time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            print(f"{CLEAR}{what}: {count:,}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            print(CLEAR, end="", file=sys.stderr, flush=True)

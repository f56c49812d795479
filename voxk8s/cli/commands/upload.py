"""`voxk8s upload`: bring files and folders into the store of a namespace, and print their URLs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from voxk8s import constants
from voxk8s.cli.abandonable import in_abandonable_thread
from voxk8s.cli.cluster_store import ClusterStore, with_store
from voxk8s.cli.connection import with_cluster
from voxk8s.cli.local_files import files_below
from voxk8s.cli.terminal_text import size_text
from voxk8s.cli.transfer_line import TransferLine
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.errors import InvalidUsage
from voxk8s.inputs.s3_target import s3_target
from voxk8s.storage.store_options import cache_folder, parse_url
from voxk8s.storage.trust_domain import domain_root
from voxk8s.storage.uploads import Uploaded, Uploader

_THREADS: Final = 8


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    key: str


def run(arguments: argparse.Namespace) -> int:
    """Upload what is named, and print the URL of each on standard output."""
    local_files(
        [(name, arguments.to) for name in arguments.files]
    )  # what is wrong with them is known without a cluster
    return with_cluster(arguments, partial(_upload, arguments))


async def _upload(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    urls = await upload(
        kube,
        namespace,
        [(name, arguments.to) for name in arguments.files],
        replace=arguments.replace,
        quiet=bool(arguments.quiet),
    )
    for url in urls:
        print(url)
    return 0


async def upload(
    kube: KubeClient,
    namespace: str,
    names: Sequence[tuple[str, str]],
    *,
    replace: bool = False,
    quiet: bool = False,
) -> list[str]:
    """Upload files and folders; return the URL of each, that of a folder with a slash.

    With each goes a prefix below the uploads of the namespace's trust domain, or an s3:// URL: all
    in one bucket. Raises InvalidUsage for names that are not there, or that servers would change.
    """
    files = local_files(names)

    async def send(store: ClusterStore) -> list[str]:
        folders = [upload_folder(store, to) for _, to in names]
        plan = [
            _file(path, folder, below)
            for folder, each in zip(folders, files, strict=True)
            for path, below in each
        ]
        bucket = s3_target(folders[0]).bucket
        uploader = Uploader(
            bucket,
            store.options,
            cache_folder(os.environ) / "uploads",
            replace=replace,
            server=store.server,
        )
        total = sum(file.path.stat().st_size for file in plan)
        line = TransferLine(sys.stderr, total, live=sys.stderr.isatty(), quiet=quiet)
        try:
            await in_abandonable_thread(partial(_send, uploader, plan, line))
        finally:
            line.clear()
        return [_url(folder, name) for folder, (name, _) in zip(folders, names, strict=True)]

    return await with_store(kube, namespace, send, ask=True)


def upload_folder(store: ClusterStore, to: str) -> str:
    """Return the s3:// URL below which files of a namespace go.

    It is in the namespace's trust domain, which is all that its keys may write: nobody of another
    domain can replace what is there.
    """
    if to.lower().startswith("s3://"):
        return _clean(to, to)
    if not store.url.startswith("s3://"):
        raise InvalidUsage(
            f"expected --to s3://bucket/prefix, or the store's URL in {constants.ENV_STORE}, since"
            " no Secret of the namespace says where its store is"
        )
    root = domain_root(parse_url(store.url), store.domain).url
    return _clean(f"{root}/{constants.UPLOADS_PREFIX}/{to}", to)


def _clean(url: str, to: str) -> str:
    """Return a URL as the keys below it begin: readers take it by the letter."""
    try:
        return f"s3://{s3_target(url).path}"
    except ValueError as error:
        raise InvalidUsage(f"--to {to}: {error}") from error


def local_files(names: Sequence[tuple[str, str]]) -> list[list[tuple[Path, str]]]:
    """Return the files of each name with what they are called; of a folder all but hidden ones.

    Raises InvalidUsage for what is not there, an empty folder, and two names with the same end.
    """
    found: dict[tuple[str, str], list[tuple[Path, str]]] = {}
    for name, to in names:
        path, base = Path(name), base_name(name)
        if (to, base) in found:
            raise InvalidUsage(
                f"{name}: another file of this call is called {base} as well; upload them in two"
                " calls with different --to"
            )
        if path.is_dir():
            found[to, base] = [(each, f"{base}/{below}") for each, below in files_below(path)]
            if not found[to, base]:
                raise InvalidUsage(f"{name}: the folder has no files")
        elif path.is_file():
            found[to, base] = [(path, base)]
        elif path.exists():
            raise InvalidUsage(f"{name}: expected a file or a folder, not a device or a pipe")
        else:
            raise InvalidUsage(f"{name}: no such file or folder")
    return list(found.values())


def base_name(name: str) -> str:
    """Return what a file or folder is called where it goes."""
    return Path(os.path.abspath(name)).name


def _file(path: Path, folder: str, name: str) -> _File:
    try:
        target = s3_target(folder, name)
    except ValueError as error:
        raise InvalidUsage(f"{path}: {error}; rename it") from error
    return _File(path, "/".join(target.parts))


def _url(folder: str, name: str) -> str:
    base = base_name(name)
    return f"{folder}/{base}/" if Path(name).is_dir() else f"{folder}/{base}"


def _send(uploader: Uploader, files: Sequence[_File], line: TransferLine) -> None:
    def put(file: _File) -> Uploaded:
        return uploader.put(file.path, file.key, line.add)

    with ThreadPoolExecutor(_THREADS) as pool:
        waiting = [pool.submit(put, file) for file in files]
        try:
            done = [each.result() for each in waiting]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    sent = [each for each in done if each.sent]
    known = len(done) - len(sent)
    size = size_text(sum(each.size for each in sent))
    line.done(f"sent {len(sent)} of {len(done)} files, {size}; {known} were there already")

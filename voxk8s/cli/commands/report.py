"""`voxk8s report`: the report of a run, or two runs or folders compared, in a browser or a file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from voxk8s.cli.browser import show_page
from voxk8s.cli.commands.results import read_report, write_page
from voxk8s.cli.connection import read_workplan, with_cluster
from voxk8s.cli.input_file import read_beginning
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.constants import RUN_FILE_BYTES
from voxk8s.errors import InvalidUsage

if TYPE_CHECKING:
    from voxk8s.cli.result_folder import ResultFolder

    _Source: TypeAlias = bytes | ResultFolder
    """The page of a report, or a folder."""

_BOTH: Final = 2
_WORKPLAN: Final = "workplan/"


def run(arguments: argparse.Namespace) -> int:
    """Fetch the reports and show them; the exit status is not that of a run."""
    names = arguments.names
    if len(names) > _BOTH:
        raise InvalidUsage(f"expected one report, or two to compare, got {len(names)}")
    if len(names) == 1 and "/" in names[0] and os.path.isdir(names[0]):
        raise InvalidUsage(f"{names[0]}: expected a report, found a folder; two can be compared")
    if all(map(partial(_is_here, names), names)):
        return _show(arguments, [_read_here(name) for name in names])
    return with_cluster(arguments, partial(_fetch, arguments))


async def _fetch(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    pages: list[_Source] = []
    for name in arguments.names:
        if _is_here(arguments.names, name):
            pages.append(_read_here(name))
        else:
            workplan = await read_workplan(kube, name.removeprefix(_WORKPLAN), namespace)
            pages.append(await read_report(kube, workplan))
    return _show(arguments, pages)


def _show(arguments: argparse.Namespace, pages: Sequence[_Source]) -> int:
    first = pages[0]
    if len(pages) == 1 and isinstance(first, bytes):
        page = first
    else:
        page = _compared(arguments.names, pages)
    if arguments.output is None:
        show_page(page)
    else:
        write_page(Path(arguments.output), page)
        print(arguments.output)
    return 0


def _compared(names: Sequence[str], pages: Sequence[_Source]) -> bytes:
    from voxk8s.cli.result_folder import ResultFolder, voxel_difference
    from voxk8s.report.comparison import compare
    from voxk8s.report.comparison_page import comparison_page
    from voxk8s.report.read_page import read_pictures, read_summary

    runs = [
        (read_summary(page, name), read_pictures(page))
        if isinstance(page, bytes)
        else (page.summary, page.pictures)
        for page, name in zip(pages, names, strict=True)
    ]
    (before, pictures), (after, others) = runs
    one, other = pages
    folders = (
        (one.path, other.path)
        if isinstance(one, ResultFolder) and isinstance(other, ResultFolder)
        else None
    )

    def difference(name: str) -> str:
        return "" if folders is None else voxel_difference(*(each / name for each in folders))

    return comparison_page(compare(before, after, difference), (pictures, others)).encode()


def _is_here(names: Sequence[str], name: str) -> bool:
    """Whether a name is that of a file, or of a folder that is compared.

    No WorkPlan has a slash or ends with .html; one may be called like a folder, and is
    `workplan/NAME` then.
    """
    if name.startswith(_WORKPLAN) and not os.path.exists(name):
        return False
    if "/" in name or name.endswith((".html", ".htm")):
        return True
    return len(names) == _BOTH and os.path.isdir(name)


def _read_here(name: str) -> _Source:
    if not os.path.isdir(name):
        return _read_file(name)
    # Imported here: reports of runs need no library that reads images.
    from voxk8s.cli.result_folder import read_folder

    return read_folder(Path(name))


def _read_file(name: str) -> bytes:
    try:
        page = read_beginning(Path(name), RUN_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidUsage(f"{name}: cannot be read as a report: {reason}") from error
    if len(page) > RUN_FILE_BYTES:
        raise InvalidUsage(f"{name}: expected a report of at most {RUN_FILE_BYTES // 10**6} MB")
    return page

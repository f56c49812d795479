"""`voxk8s report`: the report of a run, or the comparison of two, in the browser or as a file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from voxk8s.cli.browser import show_page
from voxk8s.cli.commands.results import read_report, write_page
from voxk8s.cli.connection import read_workplan, with_cluster
from voxk8s.cli.input_file import read_beginning
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.constants import RUN_FILE_BYTES
from voxk8s.errors import InvalidUsage

_BOTH = 2


def run(arguments: argparse.Namespace) -> int:
    """Fetch the reports and show them; the exit status is not that of a run."""
    names = arguments.names
    if len(names) > _BOTH:
        raise InvalidUsage(f"expected one report, or two to compare, got {len(names)}")
    files = [_is_file(name) for name in names]
    if all(files):
        return _show(arguments, [_read_file(name) for name in names])
    return with_cluster(arguments, partial(_fetch, arguments, files))


async def _fetch(
    arguments: argparse.Namespace, files: Sequence[bool], kube: KubeClient, namespace: str
) -> int:
    pages = []
    for name, is_file in zip(arguments.names, files, strict=True):
        if is_file:
            pages.append(_read_file(name))
        else:
            pages.append(await read_report(kube, await read_workplan(kube, name, namespace)))
    return _show(arguments, pages)


def _show(arguments: argparse.Namespace, pages: Sequence[bytes]) -> int:
    page = pages[0] if len(pages) == 1 else _compared(arguments.names, pages)
    if arguments.output is None:
        show_page(page)
    else:
        write_page(Path(arguments.output), page)
        print(arguments.output)
    return 0


def _compared(names: Sequence[str], pages: Sequence[bytes]) -> bytes:
    from voxk8s.report.comparison import compare
    from voxk8s.report.comparison_page import comparison_page
    from voxk8s.report.read_page import read_pictures, read_summary

    before, after = (read_summary(page, name) for page, name in zip(pages, names, strict=True))
    pictures = read_pictures(pages[0]), read_pictures(pages[1])
    return comparison_page(compare(before, after), pictures).encode()


def _is_file(name: str) -> bool:
    """Whether a name is that of a file: no WorkPlan has a slash or ends with .html."""
    return "/" in name or name.endswith((".html", ".htm"))


def _read_file(name: str) -> bytes:
    try:
        page = read_beginning(Path(name), RUN_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidUsage(f"{name}: cannot be read as a report: {reason}") from error
    if len(page) > RUN_FILE_BYTES:
        raise InvalidUsage(f"{name}: expected a report of at most {RUN_FILE_BYTES // 10**6} MB")
    return page

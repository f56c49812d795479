"""`voxk8s lsp`: the language server of ImgQL, which editors start and speak to."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 it has none
    """Serve on standard input and output until the editor ends it."""
    if sys.stdin.isatty():
        print(
            "voxk8s: this is a language server, which editors start: see docs/editors.md",
            file=sys.stderr,
        )
    # Imported here: only this command needs the libraries of the protocol.
    from voxk8s.cli.language_server.answers import make_server

    make_server().start_io()
    if sys.stdout.closed:
        # The library closes it when the editor says `exit`; the end of the program flushes it.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - used at exit
    return 0

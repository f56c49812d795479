"""`voxk8s lsp`: the language server of ImgQL, which editors start and speak to."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import BinaryIO, cast


class EditorOutput:
    """Standard output, which an editor may close at any time; what is written after that is lost.

    The library would write a traceback for each message that it cannot send.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.lost = False

    def write(self, data: bytes) -> int:
        """Write a message."""
        if not self.lost:
            try:
                self._stream.write(data)
                self._stream.flush()
            except ConnectionError:
                self.lost = True
        return len(data)

    def flush(self) -> None:
        """Do nothing: each message is sent at once."""

    def close(self) -> None:
        """Close the output when the editor says `exit`."""
        if not self.lost:
            self._stream.close()


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 it has none
    """Serve on standard input and output until the editor ends it.

    Raises BrokenPipeError after the end of the input if an answer could not be written.
    """
    if sys.stdin.isatty():
        print(
            "voxk8s: this is a language server, which editors start: see docs/editors.md",
            file=sys.stderr,
        )
    # Imported here: only this command needs the libraries of the protocol.
    from voxk8s.cli.language_server.answers import make_server

    output = EditorOutput(sys.stdout.buffer)
    make_server().start_io(stdout=cast("BinaryIO", output))
    if output.lost:
        raise BrokenPipeError
    if sys.stdout.closed:
        # The library closes it when the editor says `exit`; the end of the program flushes it.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - used at exit
    return 0

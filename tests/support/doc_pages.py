"""The fenced blocks of pages, and how they are run.

A block whose first line is a comment with a file's name (`// bright.imgql`, `# bright.yaml: …`) is
that file. In a `console` block each line after `$` is a command, and what follows is what it
prints: a line `…` stands for any lines, seconds may differ, and so may the numbers of computed and
known operations where some are computed. Commands of a page run one after the
other in one folder. Blocks with the word `cluster` or `elsewhere` after the language need more than
a folder: of theirs, the calls of `voxk8s`, `helm`, `docker` and `kubectl` are checked without
being run. A `yaml` block with the word `values` has values of the chart; any other that has an
`apiVersion` is an object of Kubernetes.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT
from voxk8s.cli.__main__ import call as call_program

_FENCE = re.compile(r"^```([\w-]*)[ ]?([\w -]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"(?://|#) ([\w./-]+\.(?:imgql|yaml|toml|py))(?::.*)?\n")
_SECONDS = re.compile(r"\b\d+(?:\.\d+)? s\b")
# Whether a cheap result is read or computed again is decided by measured costs.
_COUNTS = re.compile(r"\b[1-9]\d* computed, \d+ known")
_ELSEWHERE = frozenset({"cluster", "elsewhere"})
_SHELL = frozenset("|<>$;&*`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the words after it, and its text."""

    language: str
    words: frozenset[str]
    text: str

    @property
    def file(self) -> str:
        """Name of the file that the block is; empty if it is none."""
        match = _FILE.match(self.text)
        return match[1] if match else ""

    @property
    def runs_here(self) -> bool:
        """Whether its commands need nothing but a folder."""
        return self.language == "console" and not self.words & _ELSEWHERE


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a `console` block, with the lines that it prints."""

    text: str
    output: tuple[str, ...]


def pages() -> list[Path]:
    """Return the pages that users read."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "manifests/README.md"]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    found = _FENCE.findall(page.read_text("utf-8"))
    return [Block(language, frozenset(words.split()), text) for language, words, text in found]


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a block; lines that end with a backslash go on."""
    text = block.text.replace("\\\n", "")
    if block.language == "sh":
        lines = (line.partition("  #")[0].strip() for line in text.splitlines())
        yield from (Command(line, ()) for line in lines if line and not line.startswith("#"))
        return
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        first, *rest = part.rstrip("\n").split("\n")
        yield Command(first, tuple(rest))


def calls(block: Block) -> Iterator[list[str]]:
    """Yield the words of the simple commands of a block, without what they are piped into."""
    for command in commands(block):
        for simple in re.split(r"\s(?:&&|\|\|?|;)\s", command.text):
            words = shlex.split(simple, comments=True)
            while words and re.fullmatch(r"\w+=.*", words[0]):
                words.pop(0)
            if words:
                yield words


def run_page(page: Path, folder: Path, captured: Callable[[], tuple[str, str]]) -> list[str]:
    """Write the files of a page and run its commands in the current folder, `folder`.

    `captured` returns what this process has printed since its last call. Returns a line for each
    command that printed something else than the page says.
    """
    wrong: list[str] = []
    for block in blocks(page):
        if block.file:
            target = folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        if not block.runs_here:
            continue
        for command in commands(block):
            printed = _run(command.text, folder, captured)
            if not _matches(command.output, printed.rstrip("\n").split("\n")):
                wrong.append(f"$ {command.text}\n{printed}")
    return wrong


def _run(command: str, folder: Path, captured: Callable[[], tuple[str, str]]) -> str:
    words = shlex.split(command)
    if words[0] == "voxk8s" and not _SHELL & set(command):
        captured()
        # In this process, which has loaded what a new one would load again.
        with suppress(SystemExit):
            call_program(words[1:])
        return "".join(captured())
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.stdout + done.stderr


def _matches(shown: tuple[str, ...], printed: list[str]) -> bool:
    pattern = [
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(_plain(line)) + "\n" for line in shown
    ]
    text = "".join(f"{_plain(line)}\n" for line in printed)
    return re.fullmatch("".join(pattern) or r"\n", text) is not None


def _plain(line: str) -> str:
    return _COUNTS.sub("SOME computed", _SECONDS.sub("TIME", line.rstrip()))

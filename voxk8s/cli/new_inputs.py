"""Starts the server of decoders before a program is read, if the program loads new files.

The server takes as long to load its libraries as a small program takes from its text to the first
operation. It is not started for files that the store knows: all may be known that is computed of
them.
"""

from __future__ import annotations

import argparse
import os
import re
from typing import Final

from voxk8s.constants import ENV_STORE_DOMAIN, ENV_STORE_TRUSTS
from voxk8s.errors import InvalidUsage
from voxk8s.formats.sandbox.server_process import prepare_decoders
from voxk8s.inputs.local_version import local_version
from voxk8s.storage.layout import pin_path
from voxk8s.storage.store_options import default_url, parse_url

_PROGRAM: Final = ".imgql"
_MOST: Final = 1024 * 1024
_LOAD: Final = re.compile(r'^[ \t]*load[ \t]+\w+[ \t]*=[ \t]*"([^"$\n]+)"', re.MULTILINE)
_DOCUMENT: Final = ".json"
_DOMAINS: Final = (ENV_STORE_DOMAIN, ENV_STORE_TRUSTS)


def prepare_for_new_inputs(arguments: argparse.Namespace) -> None:
    """Start the server of decoders if a program loads files that a store in a folder does not know.

    This is a guess by the text of the program: a run decides itself what it decodes, and starts the
    server then. It is made only where it costs no request to a server.
    """
    loaded = _loaded(arguments.file)
    if not loaded:
        return
    folder = _pins_folder(arguments)
    if folder is not None and any(_is_new(url, folder) for url in loaded):
        prepare_decoders()


def _loaded(program: str) -> list[str]:
    # Pipes can be read once only.
    if not program.endswith(_PROGRAM) or not os.path.isfile(program):
        return []
    try:
        with open(program, encoding="utf-8", errors="replace") as file:
            text = file.read(_MOST)
    except OSError:
        return []
    return [url for url in _LOAD.findall(text) if not url.lower().endswith(_DOCUMENT)]


def _pins_folder(arguments: argparse.Namespace) -> str | None:
    """Return the folder of the store's domain, an empty text without a store; None if unknown."""
    if arguments.no_cache or arguments.refresh:
        return ""
    names = (arguments.domain, arguments.trusts, *map(os.environ.get, _DOMAINS))
    if any(names):
        return None
    try:
        location = parse_url(arguments.store or default_url(os.environ))
    except InvalidUsage:
        return None  # the command says so
    return location.root if location.scheme == "file" else None


def _is_new(url: str, folder: str) -> bool:
    """Whether a path of this machine exists and has no pin."""
    try:
        found = os.stat(url)
    except (OSError, ValueError):
        return False
    pin = pin_path(url, found.st_size, local_version(found))
    return not (folder and os.path.exists(os.path.join(folder, pin)))

"""The command that installs a missing extra, as voxk8s itself was installed."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Files that tools with one environment for each program leave there, and the commands.
_TOOLS = {
    "pipx_metadata.json": "pipx install --force",
    "uv-receipt.toml": "uv tool install --force",
}


def install_command(extra: str) -> str:
    """Return the command that adds an extra to this installation."""
    try:
        distribution = metadata.distribution("voxk8s")
    except metadata.PackageNotFoundError:
        return describe_command(extra, Path(sys.prefix), "", "")
    installer = distribution.read_text("INSTALLER") or ""
    return describe_command(
        extra, Path(sys.prefix), installer, distribution.read_text("direct_url.json") or ""
    )


def describe_command(extra: str, prefix: Path, installer: str, origin: str) -> str:
    """Return the command for an environment at `prefix`.

    `installer` and `origin` are the texts of INSTALLER and direct_url.json of the installation.
    """
    requirement = _requirement(extra, origin)
    for mark, command in _TOOLS.items():
        if (prefix / mark).exists():
            return f"{command} {requirement}"
    return f"{'uv pip' if installer.strip() == 'uv' else 'pip'} install {requirement}"


def _requirement(extra: str, origin: str) -> str:
    """Return the requirement of the package with its extra, from its original source."""
    document = json.loads(origin) if origin else {}
    parts = urlsplit(document.get("url", ""))
    if parts.scheme == "file":
        edit = "-e " if document.get("dir_info", {}).get("editable") else ""
        return f"{edit}'{unquote(parts.path)}[{extra}]'"
    where = f" @ {document['url']}" if parts.scheme else ""
    return f"'voxk8s[{extra}]{where}'"

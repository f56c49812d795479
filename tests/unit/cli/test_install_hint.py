"""Tests of how an extra is said to be added."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxk8s.cli.install_hint import describe_command

FOLDER = '{"url": "file:///home/a%20b/voxk8s", "dir_info": {}}'
EDITABLE = '{"url": "file:///home/me/voxk8s", "dir_info": {"editable": true}}'
GIT = '{"url": "https://example.org/v.git", "vcs_info": {"vcs": "git"}}'


@pytest.mark.parametrize(
    ("mark", "installer", "origin", "command"),
    [
        ("", "pip\n", "", "pip install 'voxk8s[engine]'"),
        ("", "uv", EDITABLE, "uv pip install -e '/home/me/voxk8s[engine]'"),
        ("", "pip", FOLDER, "pip install '/home/a b/voxk8s[engine]'"),
        ("", "pip", GIT, "pip install 'voxk8s[engine] @ https://example.org/v.git'"),
        ("pipx_metadata.json", "pip", "", "pipx install --force 'voxk8s[engine]'"),
        ("uv-receipt.toml", "uv", "", "uv tool install --force 'voxk8s[engine]'"),
    ],
)
def test_an_extra_comes_as_the_package_came(
    mark: str, installer: str, origin: str, command: str, tmp_path: Path
) -> None:
    """The same tool, from the same place."""
    if mark:
        (tmp_path / mark).touch()
    assert describe_command("engine", tmp_path, installer, origin) == command

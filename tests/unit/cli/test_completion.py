"""Tests of the completion of command lines, by the shells themselves where they are installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from voxk8s.cli.argument_parser import build_parser
from voxk8s.cli.completion import script


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("voxk8s che", {"check"}),
        ("voxk8s run --all", {"--allow", "--allow-all"}),
        ("voxk8s store inv", {"invalidate"}),
        ("voxk8s store invalidate --ker", {"--kernel"}),
        ("voxk8s completion ba", {"bash"}),
    ],
)
def test_bash_completes_commands_and_options(words: str, completed: set[str]) -> None:
    """Also those of a command of a command."""
    test = f"""{script("bash", build_parser())}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _voxk8s; echo "${{COMPREPLY[@]}}"
"""
    bash = shutil.which("bash") or "bash"
    done = subprocess.run([bash, "-c", test], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == completed


def test_zsh_and_fish_have_the_same_words() -> None:
    """Zsh reads the script of bash; fish has a line for each word, with its meaning."""
    parser = build_parser()
    assert script("zsh", parser).endswith(script("bash", parser))
    lines = script("fish", parser).splitlines()
    check = "complete -c voxk8s -n '__fish_use_subcommand' -a check -d '"
    assert any(line.startswith(check) for line in lines)
    option = "complete -c voxk8s -n '__fish_seen_subcommand_from store; and __fish_"
    assert any(line.startswith(option) and "-l kernel -d" in line for line in lines)

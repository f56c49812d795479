"""Scripts that complete the words of a command line in bash, zsh and fish, made from its parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final

SHELLS: Final = ("bash", "zsh", "fish")


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """Return the script for a shell; the calling shell reads it, as in `source <(…)`."""
    commands = dict(_commands(parser))
    if shell == "fish":
        return _fish(commands)
    text = _bash(commands)
    return f"autoload -U +X bashcompinit && bashcompinit\n{text}" if shell == "zsh" else text


def _commands(
    parser: argparse.ArgumentParser, before: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield all commands with their parsers, such as `store gc`, and the program itself as ""."""
    yield before, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, found in action.choices.items():
                yield from _commands(found, f"{before} {name}".strip())


def _words(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Yield the words that may follow a command, with what they mean."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield choice.dest, choice.help or ""
        elif action.option_strings:
            for option in action.option_strings:
                if option.startswith("--"):
                    yield option, action.help or ""
        elif action.choices:
            for value in action.choices:
                yield str(value), ""


def _bash(commands: dict[str, argparse.ArgumentParser]) -> str:
    cases = "\n".join(
        f'    "{name}") words="{" ".join(word for word, _ in _words(parser))}" ;;'
        for name, parser in commands.items()
    )
    known = " ".join(f'"{name}"' for name in commands if name)
    return f"""\
_voxk8s() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" command="" word known words=""
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    for known in {known}; do
      if [ "${{command:+$command }}$word" = "$known" ]; then command="$known"; break; fi
    done
  done
  case "$command" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case "$current" in -*) ;; *) COMPREPLY+=($(compgen -f -- "$current")) ;; esac
}}
complete -o filenames -F _voxk8s voxk8s
"""


def _fish(commands: dict[str, argparse.ArgumentParser]) -> str:
    lines: list[str] = []
    for name, parser in commands.items():
        seen = " ".join(name.split())
        condition = (
            " and ".join(f"__fish_seen_subcommand_from {word}" for word in seen.split())
            if seen
            else "__fish_use_subcommand"
        )
        for word, text in _words(parser):
            meaning = text.replace("%%", "%").replace("\\", "\\\\").replace("'", "\\'")
            option = f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"
            lines.append(f"complete -c voxk8s -n '{condition}' {option} -d '{meaning}'")
    return "\n".join(lines).replace(" and ", "; and ") + "\n"

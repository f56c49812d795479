"""Run other programs, and turn their failures into one sentence."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.tools.cluster.errors import ClusterError


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
    log: Path | None = None,
) -> str:
    """Run a program to its end and return what it wrote to standard output.

    `env` is added to this process's environment. On failure the error ends with the last lines
    that the program wrote; all of it goes to `log` where given.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClusterError(f"the program {words[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"{name_of(words)} did not end within {timeout:.0f} s") from error
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}")
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        where = f" (all of it: {log})" if log is not None else ""
        raise ClusterError(f"{name_of(words)} failed{where}: {' / '.join(lines[-3:])}")
    return done.stdout


def succeeds(argv: Sequence[str | Path], *, timeout: float = 20) -> bool:
    """Return whether a program exists and ends with status 0 in time."""
    try:
        run(argv, timeout=timeout)
    except ClusterError:
        return False
    return True


def name_of(words: Sequence[str]) -> str:
    """Return the first words of a command, enough to recognise it."""
    return " ".join([Path(words[0]).name, *words[1:3]])


def wait_until(what: str, ready: Callable[[], bool], *, seconds: float, pause: float = 0.1) -> None:
    """Wait until a condition holds, or fail with what was waited for."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise ClusterError(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)

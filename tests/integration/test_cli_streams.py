"""Standard output and error in odd states: closed, full, read in part, in another locale."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, environment


def shell(folder: Path, redirection: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Call `compile p.imgql` with a redirection of the shell."""
    (folder / "p.imgql").write_text('print "é" "ü€"\n', encoding="utf-8")
    return subprocess.run(
        ["/bin/sh", "-c", f'"$@" {redirection}', "sh", *PROGRAM, "compile", "p.imgql"],
        cwd=folder,
        env=environment(folder, env),
        capture_output=True,
        check=False,
    )


def test_closed_standard_output_is_said(tmp_path: Path) -> None:
    """There is nowhere to write to: an invalid call, and nothing is done."""
    done = shell(tmp_path, ">&-")
    assert done.returncode == 2
    assert done.stderr == b"voxk8s: standard output is closed\n"


def test_closed_standard_error_is_suffered(tmp_path: Path) -> None:
    """Messages are discarded, and none of them is written to standard output."""
    done = shell(tmp_path, "2>&-")
    assert (done.returncode, done.stdout[:1]) == (0, b"{")


def test_full_device_is_said(tmp_path: Path) -> None:
    """Output that cannot be written fails the command, in words."""
    done = shell(tmp_path, ">/dev/full")
    assert done.returncode == 1
    assert done.stderr == b"voxk8s: standard output: No space left on device\n"


@pytest.mark.parametrize("locale", ["C", "de_DE.ISO-8859-1"])
def test_output_is_utf_8_in_every_locale(tmp_path: Path, locale: str) -> None:
    """What is written does not depend on the locale, nor fail in one."""
    settings = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    shell(tmp_path, "")
    env = {"LC_ALL": locale, **settings}
    done = subprocess.run(
        [*PROGRAM, "run", "p.imgql"],
        cwd=tmp_path,
        env=environment(tmp_path, env),
        capture_output=True,
        check=False,
    )
    assert done.stdout.decode("utf-8") == "é=ü€\n", done.stderr

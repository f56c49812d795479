"""A program that its user has not read uses its own folder and the current one, and no more."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, Done, environment, voxk8s


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home folder with a secret and a project in it."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text('{"auths": "hidden"}')
    (tmp_path / "project").mkdir()
    return tmp_path


def _run(home: Path, text: str, *words: str, command: str = "run", **env: str) -> Done:
    (home / "project" / "a.imgql").write_text(text)
    return voxk8s(home / "project", command, "a.imgql", *words, env={"HOME": str(home), **env})


@pytest.mark.parametrize(
    "name", ["../.bash_profile", "{home}/.bash_profile", "link/x", ".git/config"]
)
@pytest.mark.parametrize("more", [[], ["--output", "."]])
def test_writing_elsewhere(home: Path, name: str, more: list[str]) -> None:
    """Neither by dots, nor by a path, nor by a link, nor into hidden folders."""
    (home / "project" / "link").symlink_to(home)
    if more and name in ("link/x", ".git/config"):
        more = ["--output", "out"]
        (home / "project" / "out").mkdir()
        (home / "project" / "out" / "link").symlink_to(home)
    name = name.format(home=home)
    done = _run(home, f'save "{name}" "evil"', *more)
    if more and name == ".git/config":
        return  # the user has named the folder
    assert done.status == 2
    assert not (home / ".bash_profile").exists()
    assert not (home / "x").exists()
    assert not (home / "project" / ".git").exists()
    if not more:
        assert "--allow " in done.err


def test_the_flag_that_is_named_allows_it(home: Path) -> None:
    """What the message says works, for writing and for reading."""
    text = f'save "{home}/more/a.txt" "good"'
    refused = _run(home, text)
    flag = refused.err.partition("--allow ")[2].split()[0].rstrip(")")
    assert _run(home, text, "--allow", flag).status == 0
    assert (home / "more" / "a.txt").read_text() == "good\n"


@pytest.mark.parametrize(
    "path", ["../.docker/config.json", "{home}/.docker/config.json", "link.json"]
)
def test_reading_secrets(home: Path, path: str) -> None:
    """They are not read, and the message says what would allow it."""
    (home / "project" / "link.json").symlink_to(home / ".docker" / "config.json")
    text = f'print "x" load("{path.format(home=home)}")'
    done = _run(home, text)
    assert done.status == 1
    assert 'hidden"' not in done.out + done.err
    assert f"--allow {home}/.docker/config.json" in done.err or "--allow " in done.err
    assert '"auths"' in _run(home, text, "--allow", str(home / ".docker")).out
    assert '"auths"' in _run(home, text, "--allow-all").out
    assert '"auths"' in _run(home, text, VOXK8S_ALLOW="all").out
    assert '"auths"' in _run(home, text, VOXK8S_ALLOW=str(home / ".docker")).out


def test_hidden_files_of_the_current_folder(home: Path) -> None:
    """Who runs a program in the home folder does not give its secrets away."""
    (home / "a.imgql").write_text('print "x" load(".docker/config.json")')
    done = voxk8s(home, "run", "a.imgql")
    assert done.status == 1
    assert "auths" not in done.out
    assert "--allow " in done.err


def test_a_file_that_the_user_names(home: Path) -> None:
    """A value of --param is meant to be read."""
    (home / "data.json").write_text("[1]")
    done = _run(home, 'print "x" load("$file")', "--param", f"file={home}/data.json")
    assert done.out == "x=[1]\n"


@pytest.mark.parametrize("command", ["run", "check", "compile"])
def test_importing_secrets(home: Path, command: str) -> None:
    """Errors of an imported file would show its lines, in the log of a CI for instance."""
    done = _run(home, 'import "../.docker/config.json"\nprint "x" 1', command=command)
    assert done.status == 2
    assert "auths" not in done.out + done.err
    assert "--allow " in done.err


def test_sending_by_a_computed_url(home: Path) -> None:
    """What was read cannot leave by a URL that is made from it."""
    from tests.support.scripted_http import Answer, serving

    (home / "project" / "data.json").write_text('["a secret"]')
    with serving(lambda *_: Answer(200, b"[1]", lasts=True)) as server:
        url = server.endpoint
        text = (
            f'import "strings"\nlet d = load("data.json")[0]\nprint "x" load("{url}/known.json")\n'
        )
        text += f'print "y" load(concat("{url}/", d))\n'
        done = _run(home, text)
        assert "x=[1]" in done.out
        assert done.status == 1
        assert f"--allow {url}/" in done.err
        assert not server.count("GET", "secret")
        allowed = _run(home, text, "--allow", f"{url}/")
        assert server.count("GET", "secret"), allowed.err


def test_a_question_on_a_terminal(home: Path) -> None:
    """Who sits there is asked, before anything runs."""
    (home / "data.json").write_text("[1]")
    (home / "project" / "a.imgql").write_text('print "x" load("../data.json")')
    for answer, status in ((b"y\n", 0), (b"\n", 1)):
        master, slave = pty.openpty()
        with subprocess.Popen(
            [*PROGRAM, "run", "a.imgql"],
            cwd=home / "project",
            env=environment(home),
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
        ) as process:
            os.close(slave)
            said = b""
            while b"[y/N]" not in said:
                said += os.read(master, 1000)
            assert "wants to read ../data.json" in said.decode()
            os.write(master, answer)
            out, _ = process.communicate()
        os.close(master)
        assert (process.returncode, out) == (status, b"x=[1]\n" if status == 0 else b"")


def test_caches_are_private(home: Path) -> None:
    """The default store is for its user alone: its values may come from private files."""
    (home / "project" / "a.imgql").write_text('print "x" 1 + 2')
    env = {**environment(home), "XDG_CACHE_HOME": str(home / "cache")}
    del env["VOXK8S_STORE"]
    subprocess.run(
        [sys.executable, "-m", "voxk8s.cli", "run", "a.imgql"],
        cwd=home / "project",
        env=env,
        check=True,
        capture_output=True,
    )
    assert (home / "cache" / "voxk8s" / "store").stat().st_mode & 0o077 == 0

"""A plan that takes over the process that looks it up finds no secret of the operator there."""

from __future__ import annotations

import ctypes
import json
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from multiprocessing import forkserver
from pathlib import Path

import pytest

from tests.tools.helm import render
from voxk8s import constants
from voxk8s.controller.resolve import confinement
from voxk8s.controller.resolve.confinement import drop_keys
from voxk8s.controller.resolve.process_pool import ProcessPool


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a token, and with one for temporary files."""
    made = tmp_path_factory.mktemp("operator")
    (made / "scratch").mkdir()
    (made / "token").write_text("secret")
    return made


@pytest.fixture(scope="module")
def pool() -> ProcessPool:
    """Return a pool of one process."""
    return ProcessPool(1, 2**30)


@pytest.fixture(scope="module")
def process(folder: Path, pool: ProcessPool) -> Iterator[Executor]:
    """Start a process as the operator does, which has a token and keys in its environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder / "scratch"))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "secret")
        drop_keys(os.environ)
        forkserver._forkserver._stop()  # type: ignore[attr-defined]  # another test's has its variables
        started = pool._start_process()
        started.submit(os.getpid).result()
    yield started
    started.shutdown()
    pool.close()
    assert not Path(pool._scratch).exists()
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


def test_it_has_neither_keys_nor_the_token(process: Executor, folder: Path) -> None:
    """Its environment has no keys; the token and the memory of the operator cannot be read."""
    environment = process.submit(Path.read_bytes, Path("/proc/self/environ")).result()
    assert b"secret" not in environment
    if ctypes.CDLL(None).syscall(444, None, 0, 1) < 1:
        pytest.skip("this kernel has no Landlock")
    for path in (folder / "token", Path(f"/proc/{os.getpid()}/environ")):
        with pytest.raises(PermissionError):
            process.submit(Path.read_bytes, path).result()


_CONNECT = """
import socket
from multiprocessing.forkserver import _forkserver
socket.socket(socket.AF_UNIX).connect(_forkserver._forkserver_address)
"""
_OTHER_SOCKETS = """
import socket
socket.socketpair()
socket.socket(socket.AF_INET)
"""


def test_it_does_not_reach_the_fork_server(process: Executor) -> None:
    """Which makes unconfined processes for whoever connects; sockets of networks are there."""
    with pytest.raises(PermissionError):
        process.submit(exec, _CONNECT, {}).result()
    process.submit(exec, _OTHER_SOCKETS, {}).result()


def test_keys_of_domains_are_not_where_it_may_read() -> None:
    """The folder into which the chart mounts them is below none that it needs."""
    folder = Path(constants.DOMAIN_SECRETS_FOLDER)
    assert not any(folder.is_relative_to(path) for path in confinement._SYSTEM)
    mounted = render(store={"url": "s3://results", "domains": {"team": {"existingSecret": "keys"}}})
    assert f'"mountPath": "{folder}/team"' in json.dumps(mounted)


_UNLINK = """
import os
from multiprocessing.forkserver import _forkserver
os.unlink(_forkserver._forkserver_address)
"""


def test_it_cannot_cut_the_operator_off_the_fork_server(process: Executor) -> None:
    """Without its socket no process could be started any more, for any namespace."""
    if ctypes.CDLL(None).syscall(444, None, 0, 1) < 1:
        pytest.skip("this kernel has no Landlock")
    with pytest.raises(PermissionError):
        process.submit(exec, _UNLINK, {}).result()
    address = forkserver._forkserver._forkserver_address  # type: ignore[attr-defined]
    assert Path(address).exists()


def test_it_can_do_its_work(process: Executor, pool: ProcessPool) -> None:
    """Code, certificates and the folder for temporary files are there."""
    assert process.submit(Path.read_text, Path(os.__file__)).result()
    scratch = Path(pool._scratch)
    assert process.submit(tempfile.gettempdir).result() == str(scratch)
    assert process.submit(Path.write_text, scratch / "a", "x").result() == 1
    assert process.submit(Path.read_text, Path("/etc/hosts")).result() is not None

"""A file that takes its decoder over, or kills it, is one error of that input and nothing more.

No file is known that does so to the libraries of today; so the decoder is replaced by one that does
what such a file would make it do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.unit.inputs.saved_images import save_image
from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.sandbox import decoder, server_process
from voxk8s.values import Image

Decode = Callable[..., str]


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Decode]:
    """Return a function that has Python code run in a decoder, and returns the input's error."""
    begin, end = server_process._START.split(" from ", 1)
    servers = server_process.ServerProcess()
    monkeypatch.setattr(decoder, "servers", servers)
    path = tmp_path / "file.nii"
    save_image(path, 1.0)

    def decode(code: str, seconds: float = 20.0) -> str:
        script = (
            f"{begin} import os, voxk8s.formats.sandbox.work as work;"
            f" work.decode_file = lambda *_: exec({code!r}, {{}}); from {end}"
        )
        monkeypatch.setattr(server_process, "_START", script)
        servers.restart()
        (tmp_path / "scratch").mkdir(exist_ok=True)
        limits = DecodeLimits(largest=2**20, seconds=seconds)
        with pytest.raises(InputUnavailable) as refused:
            decoder.decode_input("s3://a/file.nii", [str(path)], str(tmp_path / "scratch"), limits)
        return str(refused.value)

    yield decode
    servers.restart()


def test_a_crash(hostile: Decode) -> None:
    """SIGSEGV in the decoder names the input and what happened."""
    said = hostile("import ctypes; ctypes.string_at(0)")
    assert said.startswith("input s3://a/file.nii: ")
    assert "crashes the library that decodes it (SIGSEGV)" in said


def test_an_abort(hostile: Decode) -> None:
    """So does an abort, as libraries do it."""
    assert "crashes the library" in hostile("import os; os.abort()")


def test_an_exit(hostile: Decode) -> None:
    """A decoder that ends without an answer is an error as well."""
    assert "input s3://a/file.nii: " in hostile("import os; os._exit(0)")


def test_memory(hostile: Decode) -> None:
    """A file that makes a library take gigabytes is told so; no other process is hurt."""
    assert "cannot be read in the memory" in hostile("x = bytearray(2**32)")


def test_time_of_the_processor(hostile: Decode) -> None:
    """A loop without an end ends."""
    assert "takes too long" in hostile("while True: pass", 1.0)


def test_a_hang(hostile: Decode) -> None:
    """So does waiting for what never comes."""
    assert "takes too long" in hostile("import threading; threading.Event().wait()", 1.0)


def test_output(hostile: Decode) -> None:
    """A decoder does not fill the disk."""
    code = "import tempfile; tempfile.TemporaryFile().truncate(2**40)"
    assert "File too large" in hostile(code)


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.socket()",
        "import subprocess; subprocess.run(['/bin/true'])",
        "import os; os.fork()",
        "import os; os.kill(os.getppid(), 9)",
        "import os; open(f'/proc/{os.getppid()}/environ').read()",
        "open('/etc/passwd').read()",
        "open('/tmp/voxk8s-was-here', 'w')",
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))",
    ],
    ids=["network", "program", "fork", "kill", "environment", "files", "writing", "limits"],
)
def test_rights(hostile: Decode, code: str) -> None:
    """A decoder has no network, no programs, no other files, and power over no process."""
    said = hostile(code)
    assert "PermissionError" in said or "not allowed to raise" in said, said


def test_secrets(hostile: Decode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment has no credentials of this process."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    said = hostile("import os; raise ValueError(sorted(os.environ))")
    assert "PATH" in said
    assert "AWS" not in said


@pytest.mark.parametrize(
    "reply",
    [
        "DecodedImage('float32', (2**40,), (1., 1.), (0., 0.), (1., 0., 0., 1.), 1)",
        "DecodedImage('float32', (2**20, 2**20), (1., 1.), (0., 0.), (1., 0., 0., 1.), 1)",
        "DecodedImage('object', (1, 1), (1., 1.), (0., 0.), (1., 0., 0., 1.), 1)",
        "DecodedImage('uint8', (1, 9), (float('nan'), 1.), (0., 0.), (1., 0., 0., 1.), 1)",
        "DecodedImage('uint8', (-1, -9), (1., 1.), (0., 0.), (1., 0., 0., 1.), 1)",
        "Died(99)",
    ],
)
def test_a_lie(hostile: Decode, reply: str) -> None:
    """What a decoder answers is checked before it is used."""
    code = (
        "import gc, os, socket\n"
        "from voxk8s.formats.sandbox.messages import *\n"
        "own = [x for x in gc.get_objects() if isinstance(x, socket.socket) and x.fileno() > 0]\n"
        f"send(own[-1], {reply}, share(memoryview(bytes(9)), '.'))\n"
        "os._exit(0)"
    )
    assert hostile(code).startswith("input s3://a/file.nii: ")


def test_voxels_do_not_change_any_more(tmp_path: Path) -> None:
    """Large voxels are shared without a copy, and sealed: not even their maker can change them."""
    save_image(tmp_path / "a.mha", 2.5)
    big = np.arange(2**18, dtype=np.float64).reshape(1, 512, 512)
    from voxk8s.formats.sandbox import messages

    descriptor = messages.share(big.data.cast("B"), str(tmp_path))
    ones = (1.0, 1.0, 1.0)
    reply = messages.DecodedImage(
        "float64", big.shape, ones, ones, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0), 1
    )
    image = messages.image_of(reply, descriptor)
    with pytest.raises(PermissionError):
        os.pwrite(descriptor, b"x", 0)
    with pytest.raises(PermissionError):
        os.ftruncate(descriptor, 0)
    os.close(descriptor)
    np.testing.assert_array_equal(image.array, big)


def test_the_next_input_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash, the same server reads other inputs."""
    monkeypatch.setattr(
        server_process,
        "_START",
        server_process._START.replace(
            " from ",
            " import ctypes, voxk8s.formats.sandbox.work as work; real = work.decode_file;"
            " work.decode_file = lambda url, *more:"
            " ctypes.string_at(0) if url == 'bad' else real(url, *more); from ",
            1,
        ),
    )
    servers = server_process.ServerProcess()
    monkeypatch.setattr(decoder, "servers", servers)
    path = str(save_image(tmp_path / "good.mha", 2.5))
    with pytest.raises(InputUnavailable, match="input bad: "):
        decoder.decode_input("bad", [path], str(tmp_path), DecodeLimits())
    server = servers._process
    value = decoder.decode_input("good", [path], str(tmp_path), DecodeLimits())
    assert isinstance(value, Image)
    assert servers._process is server
    servers.restart()

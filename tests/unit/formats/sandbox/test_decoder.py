"""Tests of decoding in other processes: values come back, and servers are started and left."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.support.images import image
from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.encode_file import encode_file
from voxk8s.formats.sandbox import decoder, server_process
from voxk8s.values import Image


def _decode(tmp_path: Path, data: bytes) -> object:
    path = tmp_path / "a"
    path.write_bytes(data)
    return decoder.decode_input("a", [str(path)], str(tmp_path), DecodeLimits())


@pytest.mark.parametrize("extent", [4, 400])
def test_voxels_of_small_and_large_images(tmp_path: Path, extent: int) -> None:
    """Copied or mapped, voxels are those of the file, and cannot be written."""
    voxels = np.random.default_rng(0).random((extent, extent)).astype(np.float32)
    value = _decode(tmp_path, encode_file(image(voxels), ".mha").data)
    assert isinstance(value, Image)
    np.testing.assert_array_equal(value.array, voxels)
    assert not value.array.flags.writeable


def test_a_server_that_was_killed_is_replaced(tmp_path: Path) -> None:
    """The next input starts another one."""
    data = encode_file(image(np.ones((3, 4), np.uint8)), ".png").data
    _decode(tmp_path, data)
    process = server_process.servers._process
    assert process is not None
    process.kill()
    process.wait()
    assert isinstance(_decode(tmp_path, data), Image)


def test_a_forked_process_has_a_server_of_its_own(tmp_path: Path) -> None:
    """It does not speak to that of its parent."""
    data = encode_file(image(np.ones((3, 4), np.uint8)), ".png").data
    _decode(tmp_path, data)
    ours = server_process.servers._process
    child = os.fork()
    if child == 0:
        try:
            _decode(tmp_path, data)
            os._exit(int(server_process.servers._process is ours))
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert server_process.servers._process is ours


def test_json_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document is read by the reader of plans, in this process."""
    servers = server_process.ServerProcess()
    monkeypatch.setattr(decoder, "servers", servers)
    assert _decode(tmp_path, b"[1, 2]") == [1, 2]
    assert servers._process is None


def test_a_server_that_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error that says so."""
    monkeypatch.setattr(decoder, "servers", server_process.ServerProcess())
    monkeypatch.setattr(server_process, "_START", "raise SystemExit")
    data = encode_file(image(np.ones((3, 4), np.uint8)), ".png").data
    with pytest.raises(InputUnavailable, match="decodes inputs cannot be started"):
        _decode(tmp_path, data)

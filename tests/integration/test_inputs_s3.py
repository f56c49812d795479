"""Tests of inputs on a real S3 server and over HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tests.support.s3 import S3Server
from voxk8s.errors import InputUnavailable, InputUnreachable
from voxk8s.formats.encode_file import encode_file
from voxk8s.inputs.filesystems import file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.listing import list_folder
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.locations import locate
from voxk8s.inputs.pinning import pin_input, stat
from voxk8s.values import Image

pytestmark = pytest.mark.s3
VOXELS = np.random.default_rng(5).random((20, 40, 50)).astype(np.float32)
FILE = encode_file(
    Image(VOXELS, (1.0, 1.0, 2.0), (0.0,) * 3, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)),
    ".nii.gz",
).data


@pytest.fixture
def options(s3_server: S3Server) -> InputOptions:
    """The credentials of the server."""
    return InputOptions.from_env({**s3_server.env, "VOXK8S_LOCAL_INPUTS": "false"})


@pytest.fixture
def folder(s3_server: S3Server, options: InputOptions) -> str:
    """A prefix with three images, one of them deeper."""
    url = s3_server.url()
    for name in ("b.nii.gz", "a.nii.gz", "deep/c.nii.gz"):
        _put(f"{url}/{name}", FILE, options)
    return url


def _put(url: str, data: bytes, options: InputOptions) -> None:
    location = locate(url, options)
    file_system(location, options).pipe_file(location.path, data)


def test_an_object_is_pinned_and_loaded(folder: str, options: InputOptions) -> None:
    """Size and ETag come from the server, digest and image from the content."""
    url = f"{folder}/a.nii.gz"
    seen = stat(url, options)
    assert (seen.kind, seen.size) == ("file", len(FILE))
    assert seen.version
    value = load_input(pin_input(url, options), options)
    assert isinstance(value, Image)
    np.testing.assert_array_equal(value.array, VOXELS)


def test_a_replaced_object_is_never_used(folder: str, options: InputOptions) -> None:
    """Other content under the same URL has another version and is refused under the old pin."""
    url = f"{folder}/a.nii.gz"
    pin, before = pin_input(url, options), stat(url, options)
    _put(url, encode_file(3.0, ".json").data, options)
    assert stat(url, options).version != before.version
    with pytest.raises(InputUnavailable, match="changed"):
        load_input(pin, options)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_prefix_is_a_folder_with_or_without_its_slash(
    folder: str, options: InputOptions, slash: str
) -> None:
    """A prefix with objects below it is a folder, which may be a DICOM series."""
    url = f"{folder}{slash}"
    assert stat(url, options).kind == "folder"
    pin = pin_input(url, options)
    assert pin.size == 2 * len(FILE)
    with pytest.raises(InputUnavailable, match="the folder has no DICOM files"):
        load_input(pin, options)


def test_a_prefix_is_listed(folder: str, options: InputOptions) -> None:
    """A prefix lists like a folder, and full names can be loaded."""
    assert list_folder(folder, options=options).entries == ("a.nii.gz", "b.nii.gz")
    deep = list_folder(folder, "*.nii.gz", True, True, options=options).entries
    assert deep == tuple(f"{folder}/{name}" for name in ("a.nii.gz", "b.nii.gz", "deep/c.nii.gz"))
    assert isinstance(load_input(pin_input(deep[2], options), options), Image)


def test_a_missing_object_is_final(folder: str, options: InputOptions) -> None:
    """A missing object and a missing bucket are named and not retried."""
    for url in (f"{folder}/nothing", "s3://no-such-bucket-here/a"):
        for ask in (stat, pin_input):
            with pytest.raises(InputUnavailable, match="does not exist"):
                ask(url, options)


def test_wrong_credentials_are_final(folder: str, s3_server: S3Server) -> None:
    """The error for refused credentials does not contain the secret."""
    wrong = InputOptions(
        endpoint=s3_server.endpoint, region="us-east-1", key="unknown", secret="top-secret"
    )
    with pytest.raises(InputUnavailable, match="access is denied") as caught:
        pin_input(f"{folder}/a.nii.gz", wrong)
    assert "top-secret" not in str(caught.value)


def test_a_server_that_is_away_is_worth_another_try() -> None:
    """A refused connection is transient."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    away = InputOptions(
        endpoint=f"http://127.0.0.1:{port}", region="us-east-1", key="a", secret="b"
    )
    with pytest.raises(InputUnreachable, match="s3://bucket/a"):
        pin_input("s3://bucket/a", away)


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        """Serve files, and errors on demand."""
        if self.path.startswith("/error/"):
            self.send_error(int(self.path.rpartition("/")[2]))
        else:
            super().do_GET()

    do_HEAD = do_GET  # noqa: N815 named by the standard library


@pytest.fixture
def http(tmp_path: Path) -> Iterator[str]:
    """An HTTP server over a folder with an image."""
    (tmp_path / "a.nii.gz").write_bytes(FILE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_http_is_read(http: str) -> None:
    """A file behind a URL is pinned and loaded like any other."""
    options = InputOptions(local_allowed=False, allowed_prefixes=(http,))
    seen = stat(f"{http}/a.nii.gz", options)
    assert (seen.size, bool(seen.version)) == (len(FILE), True)
    value = load_input(pin_input(f"{http}/a.nii.gz", options), options)
    assert isinstance(value, Image)
    np.testing.assert_array_equal(value.array, VOXELS)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, InputUnavailable),
        (403, InputUnavailable),
        (500, InputUnreachable),
        (503, InputUnreachable),
        (429, InputUnreachable),
    ],
)
def test_http_errors_are_told_apart(http: str, status: int, kind: type[Exception]) -> None:
    """What the server refuses is final, what it cannot do now is worth another try."""
    with pytest.raises(kind, match=f"error/{status}"):
        pin_input(f"{http}/error/{status}", InputOptions())

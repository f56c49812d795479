"""What a decoder answers, in a process that is forked for it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.support.images import image
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.encode_file import encode_file
from voxk8s.formats.sandbox import messages
from voxk8s.formats.sandbox.decoder import decode_input
from voxk8s.formats.sandbox.messages import DecodedDocument, DecodedImage, Refused, Request
from voxk8s.values import Image


def answer(tmp_path: Path, data: bytes, limits: DecodeLimits | None = None) -> object:
    """Return the reply of a decoder to a file, asked through a server as inputs are."""
    from voxk8s.formats.sandbox.server_process import servers

    path = tmp_path / "a"
    path.write_bytes(data)
    names = [os.fsencode(path)]
    given = limits or DecodeLimits()
    request = Request(b"in", names, os.fsencode(tmp_path), len(data), given)
    with servers.connect(30.0) as connection:
        messages.send(connection, request)
        content, descriptor = messages.receive(connection)
    if descriptor is not None:
        os.close(descriptor)
    return messages.decode_reply(content)


def test_an_image(tmp_path: Path) -> None:
    """Its type, shape and geometry, for the voxels that come with it."""
    data = encode_file(image(np.ones((3, 4), np.uint8)), ".png").data
    reply = answer(tmp_path, data)
    assert isinstance(reply, DecodedImage)
    assert (reply.dtype, reply.shape, reply.channels) == ("uint8", (3, 4), 1)


def test_a_compressed_document(tmp_path: Path) -> None:
    """Its text is decompressed here, and read by the reader of documents elsewhere."""
    import gzip

    assert answer(tmp_path, gzip.compress(b"[1]")) == DecodedDocument()


@pytest.mark.parametrize("data", [b"", b"nothing", b"\x89PNG\r\n\x1a\n" + b"\0" * 30])
def test_what_cannot_be_decoded(tmp_path: Path, data: bytes) -> None:
    """The refusal begins with the name of the input."""
    reply = answer(tmp_path, data)
    assert isinstance(reply, Refused)
    assert reply.message.startswith("input in: ")


def test_what_becomes_too_large(tmp_path: Path) -> None:
    """It is refused by its header."""
    data = encode_file(image(np.ones((300, 400), np.uint8)), ".png").data
    reply = answer(tmp_path, data, DecodeLimits(largest=1000))
    assert isinstance(reply, Refused)
    assert "VOXK8S_INPUT_BYTES" in reply.message


def test_a_request_that_is_none(tmp_path: Path) -> None:
    """A decoder that cannot read its request ends, and the next one works."""
    from voxk8s.formats.sandbox.server_process import servers

    with servers.connect(30.0) as connection:
        messages.send(connection, Refused("?"))
        reply = messages.decode_reply(messages.receive(connection)[0])
    assert reply == messages.Died(0)
    path = tmp_path / "a"
    path.write_bytes(encode_file(image(np.ones((3, 4), np.uint8)), ".png").data)
    found = decode_input("in", [str(path)], str(tmp_path), DecodeLimits())
    assert isinstance(found, Image)

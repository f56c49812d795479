"""What is said to a decoder and by it, which may be in the hands of a file."""

from __future__ import annotations

import os
import socket
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pytest

from voxk8s.formats.sandbox import messages
from voxk8s.formats.sandbox.messages import DecodedImage, Died, Refused

SOUND: dict[str, Any] = {
    "dtype": "uint8",
    "shape": (2, 3),
    "spacing": (1.0, 1.0),
    "origin": (0.0, 0.0),
    "direction": (1.0, 0.0, 0.0, 1.0),
    "channels": 1,
}


@dataclass
class Ends:
    """The two ends of a connection."""

    ours: socket.socket
    theirs: socket.socket


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A connection."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours, theirs:
        yield Ends(ours, theirs)


def shared(content: bytes) -> int:
    """Return a descriptor as a decoder makes it."""
    return messages.share(memoryview(content), tempfile.gettempdir())


def test_a_message_and_its_descriptor(ends: Ends) -> None:
    """Both arrive; without a descriptor there is none."""
    number = shared(b"voxels")
    messages.send(ends.theirs, Refused("why"), number)
    os.close(number)
    content, descriptor = messages.receive(ends.ours)
    assert messages.decode_reply(content) == Refused("why")
    assert descriptor is not None
    assert bytes(messages.content_of(descriptor, 6)) == b"voxels"
    os.close(descriptor)
    messages.send(ends.theirs, Died(9, late=True))
    content, descriptor = messages.receive(ends.ours)
    assert (messages.decode_reply(content), descriptor) == (Died(9, late=True), None)


@pytest.mark.parametrize("start", [b"", b"\x00\x00", struct.pack(">I", 10) + b"abc"])
def test_a_decoder_that_ends_in_a_message(ends: Ends, start: bytes) -> None:
    """What is cut off is the end, and not a message."""
    ends.theirs.sendall(start)
    ends.theirs.close()
    with pytest.raises(EOFError):
        messages.receive(ends.ours)


def test_a_message_without_an_end(ends: Ends) -> None:
    """A length beyond all messages is refused before memory is taken, and no descriptor leaks."""
    number = shared(b"x")
    before = len(os.listdir("/proc/self/fd"))
    socket.send_fds(ends.theirs, [struct.pack(">I", 2**32 - 1)], [number])
    with pytest.raises(EOFError, match="too long"):
        messages.receive(ends.ours)
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(number)


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x91\xa4evil", b"\xff" * 100])
def test_what_is_no_reply(content: bytes) -> None:
    """It is an error of one kind."""
    with pytest.raises(msgspec.DecodeError):
        messages.decode_reply(content)


@pytest.mark.parametrize("size", [6, 600_000])
def test_voxels_of_an_image(size: int) -> None:
    """Small ones are copied, large ones mapped; neither can be written."""
    number = shared(bytes(size))
    found = messages.image_of(DecodedImage(**{**SOUND, "shape": (size // 3, 3)}), number)
    os.close(number)
    assert found.array.shape == (size // 3, 3)
    assert found.array.dtype == np.uint8
    if size > 1000:
        with pytest.raises(ValueError, match="read-only"):
            found.array[0, 0] = 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"dtype": "object"},
        {"dtype": "S1"},
        {"shape": (2, -3)},
        {"shape": (2, 0)},
        {"shape": (2,)},
        {"shape": (2, 3, 1)},
        {"shape": (2**40, 2**40)},
        {"spacing": (1.0,)},
        {"spacing": (1.0, float("nan"))},
        {"origin": (0.0, float("inf"))},
        {"direction": (1.0,)},
        {"channels": 0},
        {"channels": 3},
    ],
)
def test_what_is_no_image(wrong: dict[str, Any]) -> None:
    """Types, shapes and sizes that do not fit the voxels are refused, and memory is not read."""
    number = shared(bytes(6))
    with pytest.raises(ValueError, match="decoder"):
        messages.image_of(DecodedImage(**{**SOUND, **wrong}), number)
    os.close(number)


def test_voxels_that_are_cut_off_later() -> None:
    """Mapped memory is sealed: the decoder cannot take it away from under its reader."""
    number = shared(bytes(600_000))
    content = messages.content_of(number, 600_000)
    with pytest.raises(PermissionError):
        os.ftruncate(number, 0)
    with pytest.raises(PermissionError):
        os.pwrite(number, b"x", 0)
    assert bytes(content[:1]) == b"\0"
    os.close(number)

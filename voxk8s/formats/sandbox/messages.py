"""What is said to a decoder and by it: msgpack with its length, and a descriptor with voxels.

A decoder may be in the hands of the file that it reads: what it says is checked, and its voxels
cannot be changed or cut off once they are accepted.
"""

from __future__ import annotations

import fcntl
import math
import mmap
import os
import socket
import tempfile
from contextlib import suppress
from typing import Final

import msgspec
import numpy as np

from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.values import Array, Image

_LENGTH: Final = 4
_MOST: Final = 64 * 2**20
"""Bytes of a message: more than a series of 100,000 files needs."""
_MAPPED: Final = 256 * 1024
"""Smaller values are copied: that is faster than mapping them."""
_INTEGERS: Final = (f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_KINDS: Final = frozenset(("bool", "float32", "float64", *_INTEGERS))
_ADD_SEALS: Final = 1033
_SEALS: Final = 0xF  # no more seals, no other size, no other content


class Request(msgspec.Struct, frozen=True, array_like=True):
    """An input to decode; names are bytes, since they need not be text.

    `series` is whether `paths` are the files of a folder. `data_file` is the name and the path of
    the data file of a detached header. `stored` is the size of all files. `header`: only size and
    geometry are asked for, as a document.
    """

    url: bytes
    paths: list[bytes]
    scratch: bytes
    stored: int
    limits: DecodeLimits
    series: bool = False
    data_file: tuple[bytes, bytes] | None = None
    header: bool = False


class DecodedImage(msgspec.Struct, frozen=True, array_like=True, tag="image"):
    """An image; its voxels are in the descriptor that comes with the message."""

    dtype: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    channels: int


class DecodedDocument(msgspec.Struct, frozen=True, array_like=True, tag="document"):
    """A JSON document; its text is in the descriptor that comes with the message."""


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="refused"):
    """Why an input cannot be decoded."""

    message: str


class Died(msgspec.Struct, frozen=True, array_like=True, tag="died"):
    """The end of a decoder, told by the server: a signal's number, 0 for another end."""

    signal: int
    late: bool = False


Reply = DecodedImage | DecodedDocument | Refused | Died
_REPLIES: Final = msgspec.msgpack.Decoder(Reply)


def send(to: socket.socket, message: msgspec.Struct, attached: int | None = None) -> None:
    """Send a message, with a descriptor."""
    content = msgspec.msgpack.encode(message)
    head = len(content).to_bytes(_LENGTH, "big")
    if attached is None:
        to.sendall(head)
    else:
        socket.send_fds(to, [head], [attached])
    to.sendall(content)


def receive(source: socket.socket) -> tuple[bytes, int | None]:
    """Receive a message and the descriptor that comes with it; raises EOFError at the end."""
    head, attached, _, _ = socket.recv_fds(source, _LENGTH, 1)
    descriptor = attached[0] if attached else None
    try:
        while len(head) < _LENGTH:
            head += _some(source, _LENGTH - len(head))
        length = int.from_bytes(head, "big")
        if length > _MOST:
            raise EOFError("the message is too long")  # noqa: TRY301
        content = bytearray()
        while len(content) < length:
            content += _some(source, length - len(content))
    except BaseException:
        if descriptor is not None:
            os.close(descriptor)
        raise
    return bytes(content), descriptor


def decode_reply(content: bytes) -> Reply:
    """Return what a decoder said; raises msgspec.DecodeError."""
    reply: Reply = _REPLIES.decode(content)
    return reply


def _some(source: socket.socket, most: int) -> bytes:
    data = source.recv(min(most, 2**20))
    if not data:
        raise EOFError
    return data


def share(content: memoryview, scratch: str) -> int:
    """Return a descriptor of memory with `content`, or of a file where there is no such memory."""
    try:
        descriptor = os.memfd_create("voxels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except (AttributeError, OSError):
        with tempfile.TemporaryFile(dir=scratch) as file:
            descriptor = os.dup(file.fileno())
    while content:
        content = content[os.write(descriptor, content) :]
    return descriptor


def image_of(reply: DecodedImage, descriptor: int) -> Image:
    """Return the image that a decoder sent; raises ValueError if it is not one."""
    rank, shape = len(reply.spacing), reply.shape
    numbers = (*reply.spacing, *reply.origin, *reply.direction)
    if (
        reply.dtype not in _KINDS
        or rank not in (2, 3)
        or (len(reply.origin), len(reply.direction)) != (rank, rank * rank)
        or len(shape) != rank + (reply.channels != 1)
        or reply.channels < 1
        or (reply.channels != 1 and shape[-1] != reply.channels)
        or any(extent < 1 for extent in shape)
        or not all(map(math.isfinite, numbers))
    ):
        raise ValueError("a decoder sent what is not an image")
    dtype = np.dtype(reply.dtype)
    content = content_of(descriptor, math.prod(shape) * dtype.itemsize)
    array: Array = np.frombuffer(content, dtype).reshape(shape)
    return Image(array, reply.spacing, reply.origin, reply.direction, reply.channels)


def content_of(descriptor: int, size: int) -> bytes | mmap.mmap:
    """Return the content of a descriptor; raises ValueError unless it has `size` bytes.

    Large ones are mapped, after the kernel has promised that nobody changes or cuts them: that
    would end this process.
    """
    if os.fstat(descriptor).st_size == size:
        if size >= _MAPPED:
            with suppress(OSError):
                fcntl.fcntl(descriptor, _ADD_SEALS, _SEALS)
                if os.fstat(descriptor).st_size == size:
                    flags = mmap.MAP_PRIVATE | getattr(mmap, "MAP_POPULATE", 0)
                    return mmap.mmap(descriptor, size, flags=flags, prot=mmap.PROT_READ)
        content = _read(descriptor, size)
        if len(content) == size:
            return content
    raise ValueError("a decoder sent another number of bytes than it announced")


def _read(descriptor: int, size: int) -> bytes:
    content = bytearray(size)
    view, place = memoryview(content), 0
    while place < size and (count := os.preadv(descriptor, [view[place:]], place)):
        place += count
    return bytes(view[:place])

"""What a decoder does: read its request, give up its rights, decode, answer."""

from __future__ import annotations

import json
import os
import socket
import tempfile

import msgspec
import numpy as np

from voxk8s.errors import InputUnavailable
from voxk8s.failure import error_text, message_of
from voxk8s.formats.decode_file import decode_file
from voxk8s.formats.dicom.series import decode_series
from voxk8s.formats.read_header import read_header
from voxk8s.formats.sandbox.confinement import confine, limit_memory, limit_seconds
from voxk8s.formats.sandbox.messages import (
    DecodedDocument,
    DecodedImage,
    Refused,
    Request,
    receive,
    send,
    share,
)
from voxk8s.values import Image

_NO_MEMORY = ("bad_alloc", "bad allocation", "allocate", "out of memory")


def work(answers: socket.socket) -> None:
    """Answer one request."""
    content, _ = receive(answers)
    request = msgspec.msgpack.decode(content, type=Request)
    url = os.fsdecode(request.url)
    paths, scratch = [os.fsdecode(path) for path in request.paths], os.fsdecode(request.scratch)
    data_file = None
    if request.data_file is not None:
        data_file = (os.fsdecode(request.data_file[0]), os.fsdecode(request.data_file[1]))
    tempfile.tempdir = scratch
    files = [*paths, data_file[1]] if data_file else paths
    confine(request.limits, files, scratch, request.stored)

    def allow(decoded: int) -> None:
        request.limits.check(url, decoded, request.stored)
        limit_memory(request.stored, decoded)
        limit_seconds(request.limits, request.stored + decoded)

    try:
        value: Image | bytes
        if request.header:
            value = json.dumps(
                read_header(url, paths, scratch, allow, series=request.series)
            ).encode()
        elif request.series:
            value = decode_series(url, paths, allow)
        else:
            value = decode_file(url, paths[0], scratch, data_file, allow)
        _answer(answers, value, scratch)
    except InputUnavailable as error:
        send(answers, Refused(_explained(url, message_of(error))))
    except Exception as error:  # noqa: BLE001  # whatever a damaged file makes libraries raise
        send(
            answers,
            Refused(_explained(url, f"input {url}: it cannot be read: {error_text(error)}")),
        )


def _answer(answers: socket.socket, value: Image | bytes, scratch: str) -> None:
    if isinstance(value, Image):
        array = np.ascontiguousarray(value.array, value.array.dtype.newbyteorder("="))
        reply: DecodedImage | DecodedDocument = DecodedImage(
            array.dtype.name,
            array.shape,
            value.spacing,
            value.origin,
            value.direction,
            value.channels,
        )
        content = array.data.cast("B")
    else:
        reply, content = DecodedDocument(), memoryview(value)
    send(answers, reply, share(content, scratch))


def _explained(url: str, message: str) -> str:
    """Say what a failed allocation means to those who do not know the libraries."""
    if any(word in message for word in ("MemoryError", *_NO_MEMORY)):
        return (
            f"input {url}: it cannot be read in the memory that a file of its size may take; it may"
            " be corrupted"
        )
    return message

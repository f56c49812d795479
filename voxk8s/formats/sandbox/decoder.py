"""Decodes inputs in processes of their own, and turns how these end into errors of the inputs."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Sequence
from typing import Final

import msgspec

from voxk8s import constants
from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.document import decode_document, is_document
from voxk8s.formats.sandbox import messages
from voxk8s.formats.sandbox.confinement import most_seconds
from voxk8s.formats.sandbox.messages import DecodedDocument, DecodedImage, Died, Refused, Request
from voxk8s.formats.sandbox.server_process import servers
from voxk8s.values import Value

_GRACE_SECONDS: Final = 30.0


def decode_input(
    url: str,
    paths: Sequence[str],
    scratch: str,
    limits: DecodeLimits,
    *,
    series: bool = False,
    data_file: tuple[str, str] | None = None,
    header: bool = False,
) -> Value:
    """Decode the file at `paths[0]`, or with `series` those of a DICOM series, to a value.

    JSON that is not compressed is read in this process, since its reader is the one of plans; all
    else goes to a decoder. `scratch` is a folder that the caller removes. Raises InputUnavailable
    with `url`, also when the decoder crashes or exceeds `limits`. With `header` the value is what
    `read_header` returns.
    """
    if not series and not header and is_document(url, paths[0]):
        return decode_document(url, paths[0], limits)
    for attempt in (1, 2):
        folder = tempfile.mkdtemp(dir=scratch)
        request = _request(url, paths, folder, limits, series, data_file, header)
        most = most_seconds(limits, request.stored)
        with servers.connect(most) as connection:
            connection.settimeout(most + _GRACE_SECONDS)
            try:
                messages.send(connection, request)
                content, descriptor = messages.receive(connection)
            except (EOFError, OSError) as error:
                servers.restart()
                if attempt == 1 and not isinstance(error, TimeoutError):
                    continue  # the server was killed, perhaps with another input to blame
                raise InputUnavailable(_died(url, Died(0))) from error
        break
    try:
        return _value(url, content, descriptor, limits)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _request(
    url: str,
    paths: Sequence[str],
    scratch: str,
    limits: DecodeLimits,
    series: bool,
    data_file: tuple[str, str] | None,
    header: bool,
) -> Request:
    absolute = [os.fsencode(os.path.abspath(path)) for path in paths]
    beside = None
    if data_file is not None:
        beside = (os.fsencode(data_file[0]), os.fsencode(os.path.abspath(data_file[1])))
    stored = sum(os.stat(path).st_size for path in (*absolute, *(beside[1:] if beside else ())))
    return Request(
        url.encode("utf-8", "surrogateescape"),
        absolute,
        os.fsencode(os.path.abspath(scratch)),
        stored,
        limits,
        series,
        beside,
        header,
    )


def _value(url: str, content: bytes, descriptor: int | None, limits: DecodeLimits) -> Value:
    try:
        reply = messages.decode_reply(content)
        if isinstance(reply, DecodedImage) and descriptor is not None:
            return messages.image_of(reply, descriptor)
        if isinstance(reply, DecodedDocument) and descriptor is not None:
            size = os.fstat(descriptor).st_size
            return decode_document(url, bytes(messages.content_of(descriptor, size)), limits)
    except (msgspec.DecodeError, ValueError, OSError, OverflowError) as error:
        raise InputUnavailable(f"input {url}: its decoder gave a wrong answer: {error}") from error
    if isinstance(reply, Refused):
        raise InputUnavailable(reply.message)
    raise InputUnavailable(_died(url, reply if isinstance(reply, Died) else Died(0)))


def _died(url: str, end: Died) -> str:
    if end.late or end.signal in (signal.SIGXCPU, signal.SIGALRM):
        why = (
            "reading it takes too long, and was given up; it may be corrupted"
            f" ({constants.ENV_INPUT_SECONDS} allows more time)"
        )
    elif end.signal == signal.SIGKILL:
        why = "reading it was killed, perhaps because it took too much memory; it may be corrupted"
    else:
        name = f" ({signal.Signals(end.signal).name})" if end.signal in _SIGNALS else ""
        why = f"reading it crashes the library that decodes it{name}; it is probably corrupted"
    return f"input {url}: {why}"


_SIGNALS: Final = frozenset(map(int, signal.Signals))

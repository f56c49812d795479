"""The server of decoders, with work that is scripted."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from voxk8s.formats.sandbox.messages import Died, Refused, decode_reply, receive
from voxk8s.formats.sandbox.server_process import READY

_CODE = """
import os, signal, socket, sys, time
from voxk8s.formats.sandbox import server
from voxk8s.formats.sandbox.messages import Refused, send

def work(answers):
    wish = answers.recv(16)
    if wish == b"crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if wish == b"hang":
        time.sleep(60)
    if wish == b"raise":
        raise ValueError(wish)
    if wish != b"nothing":
        send(answers, Refused(wish.decode()))

server._load_pillow = lambda: None
control = socket.socket(fileno=int(sys.argv[1]))
control.sendall(server.READY)
server._Server(control).serve(work)
"""


@pytest.fixture(scope="module")
def control() -> Iterator[socket.socket]:
    """A connection to a server that runs."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            number = theirs.fileno()
            process = subprocess.Popen(
                [sys.executable, "-c", _CODE, str(number)],
                pass_fds=[number],
                stderr=subprocess.DEVNULL,
            )
        assert ours.recv(64) == READY
        yield ours
    assert process.wait(10) == 0  # it ends with the connection


def ask(control: socket.socket, wish: str, seconds: float = 30.0) -> socket.socket:
    """Ask for a decoder that may take so many seconds; return the connection to it."""
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(control, [str(seconds).encode()], [theirs.fileno()])
    ours.settimeout(20)
    ours.sendall(wish.encode())
    return ours


def reply(connection: socket.socket) -> object:
    """Return what is said on a connection."""
    with connection:
        return decode_reply(receive(connection)[0])


def test_each_request_has_a_decoder(control: socket.socket) -> None:
    """Answers come on the connection of their request, whatever the order."""
    asked = [ask(control, wish) for wish in ("a", "b", "c")]
    assert [reply(each) for each in reversed(asked)] == [Refused(wish) for wish in "cba"]


@pytest.mark.parametrize(
    ("wish", "seconds", "end"),
    [
        ("crash", 30.0, Died(signal.SIGSEGV)),
        ("raise", 30.0, Died(0)),
        ("hang", 0.2, Died(signal.SIGKILL, late=True)),
    ],
)
def test_the_end_of_a_decoder_is_told(
    control: socket.socket, wish: str, seconds: float, end: Died
) -> None:
    """A crash, an error, and one that takes too long; others go on meanwhile."""
    other = ask(control, "hang", 20.0)
    assert reply(ask(control, wish, seconds)) == end
    assert reply(ask(control, "next")) == Refused("next")
    other.close()


def test_a_decoder_that_says_nothing(control: socket.socket) -> None:
    """Its connection ends."""
    with ask(control, "nothing") as connection, pytest.raises(EOFError):
        receive(connection)


def test_requests_without_a_connection_end_nothing_else() -> None:
    """A server that gets a word and no descriptor ends, as by the end of its connection."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        number = theirs.fileno()
        process = subprocess.Popen([sys.executable, "-c", _CODE, str(number)], pass_fds=[number])
        assert ours.recv(64) == READY
        ours.send(b"1.0")
        assert process.wait(10) == 0

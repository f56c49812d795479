"""Random URLs: what is allowed is what the HTTP client will ask for."""

from __future__ import annotations

import posixpath
import random
from typing import Final

from yarl import URL

from voxk8s.errors import InputNotAllowed, InputUnavailable
from voxk8s.inputs.confinement import Confinement, is_below_url
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate
from voxk8s.inputs.s3_target import s3_target

PREFIX: Final = "http://host:81/open"
_PIECES: Final = (
    *("http://", "https://", "HTTP://", "file://", "s3://", "host", "HOST", "host:81", "evil"),
    *("@", ":", "/", "//", "..", ".", "%2e", "%2E%2e", "%2f", "%5c", "%252e", "\\", "?", "#", "&"),
    *("open", "open/", "\t", "\n", "\0", " ", "ä", "%", "[::1]", "127.0.0.1", ";", "a", "\u3002"),
)


def url(source: random.Random) -> object:
    """Return a URL that begins like an allowed one in half of all cases."""
    start = source.choice((PREFIX, f"{PREFIX}/", ""))
    return start + "".join(source.choices(_PIECES, k=source.randrange(1, 7)))


def use_url(given: object) -> None:
    """Take a URL for an input and for an output; raises AssertionError if one leads elsewhere."""
    text = str(given)
    leads_below(text)
    for action in (lambda: locate(text, InputOptions()), lambda: s3_target(text, text)):
        try:
            action()
        except (InputNotAllowed, InputUnavailable, ValueError) as error:
            assert str(error), text  # noqa: PT017


def leads_below(text: str) -> bool:
    """Whether a URL is allowed; raises AssertionError if a client would ask for another one."""
    options = InputOptions(
        local_allowed=False, allowed_prefixes=(PREFIX,), confinement=Confinement.of([], [PREFIX])
    )
    below = is_below_url(text, PREFIX)
    try:
        locate(text, options)
        allowed = True
    except (InputNotAllowed, InputUnavailable) as error:
        allowed = False
        assert str(error), text  # noqa: PT017
    assert not allowed or below, text
    if not below:
        return False
    try:
        asked = URL(text)
    except ValueError:
        return True  # the client refuses it
    assert (asked.scheme, asked.host, asked.port) == ("http", "host", 81), text
    path = posixpath.normpath(asked.path)
    assert path == "/open" or path.startswith("/open/"), (text, asked)
    return True

"""Random URLs, by seed: what is allowed is what the HTTP client will ask for."""

from __future__ import annotations

import posixpath
import random

from yarl import URL

from voxk8s.errors import InputNotAllowed, InputUnavailable
from voxk8s.inputs.confinement import Confinement, is_below_url
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate

PREFIX = "http://host:81/open"
_PIECES = (
    *("http://", "https://", "HTTP://", "file://", "s3://", "host", "HOST", "host:81", "evil"),
    *("@", ":", "/", "//", "..", ".", "%2e", "%2E%2e", "%2f", "%5c", "%252e", "\\", "?", "#", "&"),
    *("open", "open/", "\t", "\n", "\0", " ", "ä", "%", "[::1]", "127.0.0.1", ";", "a", "\u3002"),
)


def random_url(rng: random.Random) -> str:
    """Return a URL that begins like an allowed one in half of all cases."""
    start = rng.choice((PREFIX, f"{PREFIX}/", ""))
    return start + "".join(rng.choices(_PIECES, k=rng.randrange(1, 7)))


def fuzz_url(seed: int) -> bool:
    """Check one URL; returns whether it is allowed, raises AssertionError with the seed."""
    url = random_url(random.Random(seed))
    options = InputOptions(
        local_allowed=False, allowed_prefixes=(PREFIX,), confinement=Confinement.of([], [PREFIX])
    )
    below = is_below_url(url, PREFIX)
    try:
        locate(url, options)
        allowed = True
    except (InputNotAllowed, InputUnavailable) as error:
        allowed = False
        assert str(error), seed  # noqa: PT017
    assert not allowed or below, (seed, url)
    if not below:
        return False
    try:
        asked = URL(url)
    except ValueError:
        return True  # the client refuses it
    assert (asked.scheme, asked.host, asked.port) == ("http", "host", 81), (seed, url)
    path = posixpath.normpath(asked.path)
    assert path == "/open" or path.startswith("/open/"), (seed, url, asked)
    return True


def test_urls_below_a_prefix() -> None:
    """No spelling of a URL that is allowed leads to another host or above the prefix."""
    assert sum(map(fuzz_url, range(5000))) > 500


def test_any_url() -> None:
    """Without restrictions every text is a location or an error in words."""
    for seed in range(2000):
        url = random_url(random.Random(seed))
        try:
            locate(url, InputOptions())
        except (InputNotAllowed, InputUnavailable) as error:
            assert str(error).startswith("input "), (seed, url)  # noqa: PT017

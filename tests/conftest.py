"""Fixtures that several folders of tests share."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from types import FrameType

import hypothesis
import pytest

from tests.support import redis, s3
from tests.support.redis import RedisServer
from tests.support.s3 import S3Server

# No deadline: how long one example takes depends on the load of the machine, and a hang ends by
# pytest's timeout. `make check` tries fewer examples than `make test`.
hypothesis.settings.register_profile("full", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=20)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "full"))

# With a handler of the root logger Dask lets its loggers propagate. Otherwise pytest would give
# them its own handler, whose level a cluster with `silence_logs` raises: `caplog` would miss ours.
logging.getLogger().addHandler(logging.NullHandler())


def pytest_configure() -> None:
    """End on SIGTERM as on Ctrl-C, so that fixtures stop what they have started."""
    here = os.getpid()

    def interrupt(number: int, _: FrameType | None) -> None:
        if os.getpid() != here:  # a fork of this process: it dies as processes do
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        # make passes on what its whole group was sent: the second one must not end the tidying up.
        signal.signal(number, lambda *_: None)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    # Background jobs of shells ignore it, and with them the tests of Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """Each test starts with the default log, whatever a test or a fixture of a module set up.

    The command line, called in this process, keeps its records from the handlers of pytest.
    """
    _reset_log()
    yield
    _reset_log()


def _reset_log() -> None:
    logger = logging.getLogger("voxk8s")
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server for the whole session; take a prefix of your own by `url()`."""
    with s3.serve(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A real Redis server for the whole session; take a prefix of your own by `url()`."""
    with redis.serve(tmp_path_factory.mktemp("redis")) as server:
        yield server

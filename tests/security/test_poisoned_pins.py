"""Pins that say that an input has other bytes than it has."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.s3 import S3Server
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.run.pin_inputs import digest_locally, pin_inputs
from voxk8s.inputs.filesystems import file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate
from voxk8s.inputs.pinning import InputStat, server_of, stat
from voxk8s.plan import Digest, InputRef, OperationId, Pin, Role
from voxk8s.storage import ResultStore, open_store

CONTENT = b"the victim's image"
POISON = Digest("0" * 64)
RETRY = RetryPolicy(1, 0.0, 0.0)


@pytest.fixture
def store() -> ResultStore:
    """Return an empty store."""
    return open_store(f"memory://{secrets.token_hex(8)}", env={})


def digest_in_a_run(url: str, options: InputOptions, store: ResultStore) -> str:
    """Return what a run takes for the digest of an input."""
    ref = InputRef(OperationId("1" * 64), Role.LOAD, (url,))
    digests = partial(digest_locally, options=options, retry=RETRY)
    found = pin_inputs([ref], options, store, digests, RETRY)
    return found.pins[ref.id].digest


@pytest.fixture
def options(s3_server: S3Server) -> InputOptions:
    """Return the credentials of the victim."""
    return InputOptions.from_env(s3_server.env)


@pytest.fixture
def seen(s3_server: S3Server, options: InputOptions) -> InputStat:
    """Write the victim's image, and return its state, which a hostile server may repeat."""
    url = f"{s3_server.url()}/a.nii"
    location = locate(url, options)
    file_system(location, options).pipe_file(location.path, CONTENT)
    return stat(url, options)


@pytest.mark.s3
@pytest.mark.parametrize("endpoint", ["http://evil.example.org", None])
def test_a_pin_of_another_server_is_not_used(
    seen: InputStat, options: InputOptions, store: ResultStore, endpoint: str | None
) -> None:
    """The same URL, size and ETag on a server of the attacker's choice are another input."""
    theirs = server_of(locate(seen.url, options), replace(options, endpoint=endpoint))
    assert theirs != seen.server
    store.pin_put(Pin(seen.url, POISON, seen.size), seen.size, seen.version, theirs)
    expected = sha256(CONTENT).hexdigest()
    assert digest_in_a_run(seen.url, options, store) == expected
    assert digest_in_a_run(seen.url, options, store) == expected


@pytest.mark.s3
def test_a_pin_that_names_no_server_is_not_used_for_a_bucket(
    seen: InputStat, options: InputOptions, store: ResultStore
) -> None:
    """Earlier versions wrote such pins: nothing shows of which server they are."""
    store.pin_put(Pin(seen.url, POISON, seen.size), seen.size, seen.version)
    assert digest_in_a_run(seen.url, options, store) == sha256(CONTENT).hexdigest()


@pytest.mark.s3
def test_a_pin_of_another_domain_is_not_used(
    seen: InputStat, options: InputOptions, store: ResultStore
) -> None:
    """Whoever may write pins of a domain says what its inputs contain."""
    theirs = open_store(store.url, domain="team-b", env={})
    theirs.pin_put(Pin(seen.url, POISON, seen.size), seen.size, seen.version, seen.server)
    mine = open_store(store.url, domain="team-a", env={})
    assert digest_in_a_run(seen.url, options, mine) == sha256(CONTENT).hexdigest()


def test_pins_of_files_are_used_as_before(tmp_path: Path, store: ResultStore) -> None:
    """Their URL names all there is to name, so those of earlier versions are still read."""
    file = tmp_path / "a.nii"
    file.write_bytes(CONTENT)
    found = stat(file.as_uri(), InputOptions())
    store.pin_put(Pin(found.url, POISON, found.size), found.size, found.version)
    assert digest_in_a_run(found.url, InputOptions(), store) == POISON

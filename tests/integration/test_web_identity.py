"""Clients of S3 in pods whose service account has an identity: no keys, but a projected token."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import s3, web_identity
from tests.support.web_identity import WebIdentity
from voxk8s.inputs.filesystems import file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.locations import locate
from voxk8s.inputs.pinning import pin_input
from voxk8s.storage import StoreOptions, open_store

pytestmark = pytest.mark.s3
KEY = hashlib.sha256(b"identity").hexdigest()


@pytest.fixture
def identity(
    s3_server: s3.S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WebIdentity]:
    """A server that gives keys for the token in a file, and the environment of a pod."""
    token = tmp_path / "token"
    token.write_text("token-0")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with web_identity.serve(s3_server, token) as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        yield server


def test_the_store_renews_its_keys(identity: WebIdentity, s3_server: s3.S3Server) -> None:
    """They come for the token that is in the file then, and the open store goes on with others."""
    options = StoreOptions(endpoint=identity.url, region=s3.REGION)
    store = open_store(s3_server.url(), options=options, env={})
    store.put(KEY, [1.0, 2.0])
    first = set(identity.keys)
    identity.expire()
    assert store.get(KEY) == [1.0, 2.0]
    assert first < set(identity.keys)
    assert identity.tokens[0] == "token-0"
    assert identity.tokens[-1] == f"token-{len(first)}"


def test_inputs_renew_their_keys(identity: WebIdentity, s3_server: s3.S3Server) -> None:
    """The client that reads inputs does the same."""
    url = f"{s3_server.url()}/values.json"
    owner = InputOptions.from_env(s3_server.env)
    location = locate(url, owner)
    file_system(location, owner).pipe_file(location.path, b"[1.0]")
    options = InputOptions(local_allowed=False, endpoint=identity.url, region=s3.REGION)
    pin = pin_input(url, options)
    first = set(identity.keys)
    identity.expire()
    assert load_input(pin, options) == [1.0]
    assert first < set(identity.keys)
    assert identity.tokens[-1] == f"token-{len(first)}"

"""The store that a command names."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from voxk8s.cli.named_store import open_named_store
from voxk8s.errors import InvalidUsage
from voxk8s.storage import TrustDomains


def named(store: str | None, domain: str | None, trusts: str | None) -> argparse.Namespace:
    """Return arguments as they are parsed."""
    return argparse.Namespace(store=store, domain=domain, trusts=trusts)


def test_options_come_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by itself."""
    monkeypatch.setenv("VOXK8S_STORE", str(tmp_path))
    monkeypatch.setenv("VOXK8S_STORE_DOMAIN", "team-a")
    monkeypatch.setenv("VOXK8S_STORE_TRUSTS", "team-b,shared")
    assert open_named_store(named(None, None, None)).domains == TrustDomains(
        "team-a", ("team-b", "shared")
    )
    assert open_named_store(named(None, "team-c", "")).domains == TrustDomains("team-c")
    assert open_named_store(named(str(tmp_path), None, "x, y")).domains.trusts == ("x", "y")


def test_names_that_are_none_are_refused() -> None:
    """With the name, and what is expected."""
    with pytest.raises(InvalidUsage, match=r"got '\.\./x'"):
        open_named_store(named("memory://x", "../x", None))
    with pytest.raises(InvalidUsage, match="got 'B'"):
        open_named_store(named("memory://x", "a", "b,B"))

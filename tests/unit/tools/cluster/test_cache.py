"""The user's cache: made once, whole or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.cluster import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Provide an empty cache for each test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def writes(text: str, calls: list[str]) -> Callable[[Path], None]:
    """Return a build that leaves one file and notes that it was called."""

    def build(folder: Path) -> None:
        calls.append(text)
        (folder / "file").write_text(text)

    return build


def test_entry_is_built_once() -> None:
    """The second call with the same digest gives the first call's folder and builds nothing."""
    calls: list[str] = []
    first = cache.entry("kind", "1", writes("a", calls))
    second = cache.entry("kind", "1", writes("b", calls))
    assert first == second
    assert (second / "file").read_text() == "a"
    assert calls == ["a"]


def test_failed_build_leaves_no_entry() -> None:
    """After a build that fails half-way the next call builds anew, and no debris stays."""

    def fails(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        cache.entry("kind", "1", fails)
    folder = cache.entry("kind", "1", writes("a", []))
    assert [path.name for path in folder.iterdir()] == ["file"]
    assert list(folder.parent.glob(".new-*")) == []


def test_digest_separates_parts() -> None:
    """Where one part ends and the next begins is part of the digest."""
    assert cache.digest_of("ab", "c") != cache.digest_of("a", "bc")
    assert cache.digest_of("ab", "c") == cache.digest_of(b"ab", b"c")


def test_digest_of_files_knows_name_mode_and_content(tmp_path: Path) -> None:
    """Name, executable bit and content of a file each change the digest."""
    file = tmp_path / "a"
    file.write_text("x")
    digests = [cache.digest_of_files(tmp_path, [file])]
    file.chmod(0o755)
    digests.append(cache.digest_of_files(tmp_path, [file]))
    file.write_text("y")
    digests.append(cache.digest_of_files(tmp_path, [file]))
    renamed = file.rename(tmp_path / "b")
    digests.append(cache.digest_of_files(tmp_path, [renamed]))
    assert len(set(digests)) == 4


def test_lock_can_be_deleted_by_its_holder(tmp_path: Path) -> None:
    """A lock file that its holder deleted is made anew by the next one."""
    path = tmp_path / "lock"
    with cache.locked(path):
        path.unlink()
    with cache.locked(path):
        assert path.exists()

"""What a decoder's process may use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.sandbox.confinement import leave_environment, most_seconds

_CODE = """
import sys
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.sandbox.confinement import confine, limit_memory
limits = DecodeLimits(largest=2**20, expansion=None, seconds=1.0)
confine(limits, [sys.argv[1]], sys.argv[2], 10)
{}
"""


def _confined(tmp_path: Path, code: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "file").write_text("here")
    (tmp_path / "scratch").mkdir()
    words = [sys.executable, "-c", _CODE.format(code), f"{tmp_path}/file", f"{tmp_path}/scratch"]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


def test_it_reads_its_file_and_writes_its_folder(tmp_path: Path) -> None:
    """What decoding needs is left."""
    code = "print(open(sys.argv[1]).read()); open(sys.argv[2] + '/a', 'w').write('x')"
    assert _confined(tmp_path, code).stdout == "here\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("bytearray(2**30)", "MemoryError"),
        (
            "open(sys.argv[2] + '/a', 'wb').write(bytes(2**28 + 2**22))",
            "MemoryError|File too large",
        ),
        ("__import__('socket').socket()", "PermissionError"),
    ],
)
def test_what_it_may_not_do(tmp_path: Path, code: str, said: str) -> None:
    """Memory, output and connections have limits."""
    done = _confined(tmp_path, code)
    assert done.returncode != 0
    assert any(word in done.stderr for word in said.split("|")), done.stderr


def test_its_environment_has_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder for temporary files is all that it takes over."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("TMPDIR", "/somewhere")
    found = leave_environment()
    assert found["TMPDIR"] == "/somewhere"
    assert "secret" not in found.values()


def test_time_grows_with_what_is_decoded() -> None:
    """A server kills a decoder later when it may decode more."""
    small, large = (DecodeLimits(largest=size) for size in (2**20, 2**30))
    assert most_seconds(small, 10) < most_seconds(large, 10) < most_seconds(large, 2**30)

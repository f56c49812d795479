"""A plan, or a stored value, tries to bring code that a run executes."""

from __future__ import annotations

import pickle
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import workplans
from voxk8s.errors import CorruptBlob, Voxk8sError
from voxk8s.imgql import compile_program
from voxk8s.kernels import registry, symbols
from voxk8s.plan import decode
from voxk8s.storage.value_codec import decode as decode_value

MODULE = "stranger_module"


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that a module writes when it is imported."""
    found = tmp_path / "ran"
    (tmp_path / f"{MODULE}.py").write_text(
        f"open({str(found)!r}, 'w').close()\ndef run(*_): open({str(found)!r}, 'w').close()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return found


@pytest.mark.parametrize(
    "kernel",
    [
        f"{MODULE}.run",
        f"{MODULE}:run",
        f"{MODULE}",
        "os.system",
        "builtins.eval",
        "__import__",
        "voxk8s.kernels.decorator.kernel",
        "registry.__class__",
        f"__import__('{MODULE}')",
        f"{{{{__import__('{MODULE}')}}}}",
    ],
)
def test_names_of_code(marker: Path, kernel: str) -> None:
    """Only names of registered kernels are operators; nothing else is looked for."""
    nodes = [workplans.constant("a", "touch"), workplans.operation("s", kernel, "a")]
    document = workplans.document(nodes, [workplans.show("s")])
    with pytest.raises(Voxk8sError):
        decode(document, index=registry())
    assert MODULE not in sys.modules
    assert not marker.exists()


@pytest.mark.parametrize(
    "program",
    [
        f'import "{MODULE}"\nprint "x" run(1)',
        f'print "x" {MODULE}.run(1)',
        f'print "x" eval("__import__(\'{MODULE}\')")',
        f"print \"{{__import__('{MODULE}')}}\" 1",
    ],
)
def test_programs(marker: Path, program: str) -> None:
    """A program has no way to Python either; text stays text."""
    with suppress(Voxk8sError):
        compile_program(program, index=registry(), symbols=symbols, name="p", parameters={})
    assert MODULE not in sys.modules
    assert not marker.exists()


def test_a_pickle_in_the_place_of_a_value(marker: Path) -> None:
    """Values in the store are no pickles, and bytes that are one are not loaded."""

    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (open, (str(marker), "w"))

    with pytest.raises(CorruptBlob):
        decode_value(pickle.dumps(Bomb()))
    assert not marker.exists()

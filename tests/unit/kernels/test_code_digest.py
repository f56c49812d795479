"""The digest of a kernel's code: it changes with what the kernel does, and with nothing else."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.plans_and_runs import image
from voxk8s.kernels.code_digest import _Walk, code_digest
from voxk8s.kernels.vox1.box_morphology import near
from voxk8s.values import Image

BASE = """
import functools
import math
from dataclasses import dataclass

FACTOR = 2.0
TABLE = {"a": [1, 2]}
CACHE = {}


@dataclass(frozen=True)
class Options:
    scale: float = 1.5

    def scaled(self, x):
        return x * self.scale


OPTIONS = Options(3.0)


def twice(x):
    return x * FACTOR


@functools.lru_cache
def remembered(x):
    return x + 1


def unused(x):
    return x - 1


def double(x, more=4):
    CACHE[x] = x
    return twice(x) + remembered(x) + TABLE["a"][0] + OPTIONS.scaled(x) + math.sqrt(more)
"""


@pytest.fixture(params=["a module", "cells"])
def digest_of(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], str]]:
    """Return the digest of `double` as a text defines it: in a module, or without any source."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def digest(text: str) -> str:
        if request.param == "cells":
            space = {"__name__": "__main__"}
            exec(textwrap.dedent(text), space)
            function: object = space["double"]
        else:
            name = f"lab{uuid4().hex}"
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
            importlib.invalidate_caches()
            function = importlib.import_module(name).double
        assert callable(function)
        return code_digest(function, lambda module: module.startswith(("lab", "__main__")))

    yield digest
    for name in [name for name in sys.modules if name.startswith("lab")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("twice(x) +", "twice(x) -"),
        ("return x * FACTOR", "return x + FACTOR"),
        ("FACTOR = 2.0", "FACTOR = 2"),
        ("FACTOR = 2.0", "FACTOR = -2.0"),
        ('{"a": [1, 2]}', '{"a": [1, 3]}'),
        ("more=4", "more=9"),
        ("return x + 1", "return x + 2"),
        ("Options(3.0)", "Options(4.0)"),
        ("return x * self.scale", "return x / self.scale"),
        ("scale: float = 1.5", "scale: float = 2.5"),
        ("math.sqrt", "math.exp"),
    ],
    ids=[
        "its body", "a function it calls", "the type of a number", "a number", "a table",
        "a default", "a decorated function", "an object's arguments", "a method",
        "a field's default", "another library function",
    ],
)  # fmt: skip
def test_what_changes_the_values_changes_the_digest(
    digest_of: Callable[[str], str], old: str, new: str
) -> None:
    """Of the function, and of all that it uses in its module."""
    assert BASE.count(old) == 1
    assert digest_of(BASE.replace(old, new)) != digest_of(BASE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return x - 1", "return x - 2"),
        ("    return x * FACTOR", "    # twice\n\n    return (x *\n        FACTOR)"),
        ("import math", "import math\nimport os"),
    ],
    ids=["a function it does not call", "layout", "imports"],
)
def test_nothing_else_changes_the_digest(
    digest_of: Callable[[str], str], old: str, new: str
) -> None:
    """Comments, layout, and other functions."""
    assert digest_of(BASE.replace(old, new)) == digest_of(BASE)


_HELD = {
    "slots": "class P:\n    __slots__ = ('s',)\n    def __init__(self, s):\n        self.s = s\n"
    "def double(x, p=P(?)):\n    return x * p.s",
    "a named tuple": "from typing import NamedTuple\nclass P(NamedTuple):\n    s: int\n"
    "def double(x, p=P(?)):\n    return x * p.s",
    "a subclass of dict": "class P(dict): pass\ndef double(x, p=P(s=?)):\n    return p['s']",
    "a subclass of list": "class P(list): pass\ndef double(x, p=P([?])):\n    return p[0]",
    "a subclass of float": "class P(float): pass\ndef double(x, p=P(?)):\n    return x * p",
    "a vectorized function": "import numpy as np\n@np.vectorize\ndef v(x):\n    return x * ?\n"
    "def double(x):\n    return v(x)",
    "a ufunc": "import numpy as np\ndef f(x):\n    return x * ?\nv = np.frompyfunc(f, 1, 1)\n"
    "def double(x):\n    return v(x)",
    "a cached property": "import functools\nclass A:\n    @functools.cached_property\n"
    "    def p(self):\n        return ?\ndef double(x):\n    return A().p",
    "a partial method": "import functools\nclass A:\n    def f(self, s):\n        return s\n"
    "    g = functools.partialmethod(f, ?)\ndef double(x):\n    return A().g()",
    "a dispatched function": "import functools\n@functools.singledispatch\n"
    "def v(x):\n    return x\n@v.register\n"
    "def _(x: int):\n    return x * ?\ndef double(x):\n    return v(x)",
    "a function's attribute": "def v(x):\n    return x * v.s\nv.s = ?\n"
    "def double(x):\n    return v(x)",
    "a registered function": "T = {}\ndef reg(f):\n    T[f.__name__] = f\n    return f\n"
    "@reg\ndef a(x):\n    return x * ?\ndef double(x):\n    return T['a'](x)",
    "a method of an enumeration": "import enum\nclass E(enum.Enum):\n    A = 1\n"
    "    def __str__(self):\n        return str(?)\nV = E.A\ndef double(x):\n    return str(V)",
    "a read-only mapping": "from types import MappingProxyType\nC = MappingProxyType({'s': ?})\n"
    "def double(x):\n    return C['s']",
}


@pytest.mark.parametrize("held", _HELD)
def test_what_objects_hold_counts(digest_of: Callable[[str], str], held: str) -> None:
    """Values and code inside of objects, also those that other packages make of them."""
    one, same, other = (digest_of(_HELD[held].replace("?", number)) for number in "112")
    assert one == same
    assert one != other


@pytest.mark.parametrize("text", _HELD.values())
def test_all_versions_of_python_find_one_digest_of_a_module(text: str) -> None:
    """What they generate for data classes, tuples and enumerations does not count."""
    names = ("__replace__", "_replace", "_make")
    feeds: list[str] = []

    class _Listener(_Walk):
        def _feed(self, *parts: object) -> None:
            feeds.extend(map(str, parts))

    space: dict[str, object] = {"__name__": "__main__"}
    code = compile(text.replace("?", "1"), "<cell>", "exec")
    exec(code, space)
    walk = _Listener("__main__".__eq__)
    walk.value(space["double"])
    walk.digest()
    assert not set(names) & set(feeds)
    assert "_tuplegetter" not in " ".join(feeds)


def test_annotations_of_inner_functions_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though some versions of Python look their names up when the function is defined."""
    monkeypatch.syspath_prepend(tmp_path)
    text = (
        "import numpy as np\ndef double(x):\n    def f(y{}):\n        return y\n    return f(x)\n"
    )
    found = set()
    for number, hint in enumerate(("", ": np.ndarray", ": int")):
        (tmp_path / f"hinted{number}.py").write_text(text.format(hint))
        module = importlib.import_module(f"hinted{number}")
        found.add(code_digest(module.double, lambda name: name.startswith("hinted")))
    assert len(found) == 1


def test_calls_of_any_depth_are_followed(digest_of: Callable[[str], str]) -> None:
    """Farther than the stack of the interpreter."""
    chain = "".join(f"def f{n}(x):\n    return f{n + 1}(x)\n" for n in range(1500))
    text = chain + "def f1500(x):\n    return x * {}\ndef double(x):\n    return f0(x)\n"
    assert digest_of(text.format(1)) != digest_of(text.format(2))


def test_a_set_may_be_in_what_its_items_refer_to(digest_of: Callable[[str], str]) -> None:
    """A class that registers itself."""
    text = "class A:\n    pass\nA.all = {A}\ndef double(x):\n    return A.all\n"
    assert digest_of(text) == digest_of(text)


def test_a_cache_that_fills_does_not_change_the_digest_of_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers of modules count by their source: workers fill them at different times."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "filling.py").write_text(BASE)
    module = importlib.import_module("filling")
    before = code_digest(module.double, lambda name: name == "filling")
    module.double(1.0)
    assert module.CACHE
    assert code_digest(module.double, lambda name: name == "filling") == before


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("def fill():\n    T['a'] = 1\nfill()\n", "= 1", "= 2"),
        ("def add(n):\n    T['a'] = n\ndef fill():\n    add(1)\nfill()\n", "(1)", "(2)"),
        ("def fill(n):\n    T['a'] = n\nfor i in (1, 2):\n    fill(i)\n", "2)", "3)"),
        ("def put(f):\n    T['a'] = 1\n@put\ndef g():\n    pass\n", "= 1", "= 2"),
        ("class F:\n    def fill(self):\n        T['a'] = 1\nF().fill()\n", "= 1", "= 2"),
    ],
    ids=["by a function", "by a function of it", "by arguments", "by a decorator", "by a method"],
)  # fmt: skip
def test_what_fills_a_table_when_a_module_is_loaded_counts(
    digest_of: Callable[[str], str], text: str, old: str, new: str
) -> None:
    """Although no statement of the module mentions the table."""
    text = "T = {}\n" + text + "def double(x):\n    return x * T['a']\n"
    assert text.count(old) == 1
    assert digest_of(text.replace(old, new)) != digest_of(text)


def test_a_function_that_fills_a_table_only_when_it_is_called_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one that only the module as a script calls."""
    text = "T = {{}}\ndef main():\n    T['a'] = {}\ndef double(x):\n    return x * T.get('a', 1)\n"
    text += "if __name__ == '__main__':\n    main()\n"
    monkeypatch.syspath_prepend(tmp_path)
    digests = set()
    for number in (1, 2):
        (tmp_path / f"scripts{number}.py").write_text(text.format(number))
        module = importlib.import_module(f"scripts{number}")
        digests.add(code_digest(module.double, lambda name: name.startswith("scripts")))
    assert len(digests) == 1


def test_an_edited_cell_has_another_digest() -> None:
    """What a global name refers to counts when the digest is made, not when a cell ran."""
    space: dict[str, object] = {"__name__": "__main__"}
    exec("def helper(x):\n    return x\ndef double(x):\n    return 2 * helper(x)", space)
    double = space["double"]
    assert callable(double)
    before = code_digest(double, lambda _: True)
    exec("def helper(x):\n    return x + 1", space)
    assert code_digest(double, lambda _: True) != before


def test_captured_values_count() -> None:
    """Functions from one factory differ by what they capture."""

    def make(factor: float) -> Callable[[float], float]:
        return lambda x: x * factor

    digests = [code_digest(make(factor), lambda _: True) for factor in (1.0, 2.0, 1.0)]
    assert digests[0] == digests[2] != digests[1]


def test_lambdas_on_one_line_differ() -> None:
    """Where the source is ambiguous the byte code counts."""
    one, other = lambda x: x + 1, lambda x: x + 2
    assert code_digest(one, lambda _: True) != code_digest(other, lambda _: True)


def test_code_of_other_packages_counts_by_name() -> None:
    """It is declared as a library."""

    def through(x: float) -> str:
        return textwrap.dedent(str(x))

    def other(x: float) -> str:
        return textwrap.shorten(str(x), 3)

    is_own = __name__.__eq__
    assert code_digest(through, is_own) != code_digest(other, is_own)
    assert code_digest(textwrap.dedent, is_own) == code_digest(textwrap.dedent, is_own)


def test_a_file_that_was_edited_after_its_import_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest is that of the loaded code; after a reload it is that of the new text."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "edited.py"
    text = "def double(x):\n    return x * 2\n"
    file.write_text(text)
    module = importlib.import_module("edited")
    is_own = "edited".__eq__
    before = code_digest(module.double, is_own)
    file.write_text(text.replace("* 2", "* 200"))
    assert code_digest(module.double, is_own) == before
    importlib.reload(module)
    after = code_digest(module.double, is_own)
    assert after != before
    file.write_text("# moved\n" + text)
    importlib.reload(module)
    assert code_digest(module.double, is_own) == before


def test_other_modules_of_the_package_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However they are imported."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    package = tmp_path / "labpack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    used = "def f(x):\n    return x\ndef g(x):\n    return x\nLIST = [1]\n"
    ways = {
        "function": "from labpack.helpers import f\ndef double(x):\n    return f(x)\n",
        "module": "from labpack import helpers\ndef double(x):\n    return helpers.f(x)\n",
        "dotted": "import labpack.helpers\ndef double(x):\n    return labpack.helpers.f(x)\n",
        "inside": "def double(x):\n    from .helpers import f\n    return f(x)\n",
        "list": "from .helpers import LIST\ndef double(x):\n    return x + LIST[0]\n",
    }

    def is_own(name: str) -> bool:
        return name.partition(".")[0] == "labpack"

    def digests() -> dict[str, str]:
        for name in [name for name in sys.modules if is_own(name)]:
            del sys.modules[name]
        importlib.invalidate_caches()
        found = {}
        for way in ways:
            module = importlib.import_module(f"labpack.{way}")
            found[way] = code_digest(module.double, is_own)
        return found

    for way, text in ways.items():
        (package / f"{way}.py").write_text(text)
    (package / "helpers.py").write_text(used)
    before = digests()
    (package / "helpers.py").write_text(used.replace("return x", "return -x", 1))
    after = digests()
    changed = {way for way in ways if before[way] != after[way]}
    assert changed == {"function", "module", "dotted", "inside"}
    (package / "helpers.py").write_text(used.replace("[1]", "[2]"))
    assert {way for way, digest in digests().items() if before[way] != digest} == {"list"}


def test_every_process_finds_the_same_digest(tmp_path: Path) -> None:
    """Whatever its hash seed, and whether it optimises or not."""
    (tmp_path / "labsame.py").write_text(BASE + "\nWORDS = {'a', 'b', 'c'}\n")
    program = (
        "import labsame; from voxk8s.kernels.code_digest import code_digest;"
        "print(code_digest(labsame.double, 'labsame'.__eq__))"
    )
    found = set()
    for options in (["-B"], ["-B", "-O"], ["-B"]):
        done = subprocess.run(
            [sys.executable, *options, "-c", program],
            capture_output=True, text=True, check=True, cwd=tmp_path,
            env={"PYTHONPATH": f"{tmp_path}:{Path.cwd()}"},
        )  # fmt: skip
        found.add(done.stdout)
    assert len(found) == 1


def test_a_computed_mask_counts_as_an_image() -> None:
    """A kernel that holds one is the same code, whichever form kernels pass masks on in."""

    def holding(held: object) -> str:
        return code_digest(lambda: held, lambda module: module == __name__)

    mask = near(image())
    plain = Image(mask.array, mask.spacing, mask.origin, mask.direction)
    assert holding(mask) == holding(plain)
    assert holding(near(image(value=0))) != holding(plain)

"""Texts of hostile shapes take no more than linear time, and give no traceback.

Each shape is compiled or decoded at a size and at four times that size: quadratic work would take
sixteen times as long.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import pytest

from voxk8s.errors import Voxk8sError
from voxk8s.formats.detached_header import data_file_url
from voxk8s.imgql import compile_program
from voxk8s.inputs.confinement import is_below_url
from voxk8s.inputs.s3_target import s3_target
from voxk8s.kernels import registry, symbols
from voxk8s.plan import decode, key_graph
from voxk8s.redact import redact, visible

_SIZE: Final = 3000
_FACTOR: Final = 4
_MOST_GROWTH: Final = 9.0
"""Between 4, linear, and 16, quadratic."""
_QUICK: Final = 0.05
"""Seconds of the larger size that need no comparison: it has some ten thousand characters."""

PROGRAMS: Final[dict[str, Callable[[int], str]]] = {
    "underscores": lambda n: "_" * n,
    "underscores apart": lambda n: 'print "x" ' + "_ " * n,
    "digits": lambda n: 'print "x" ' + "1" * n,
    "exponents": lambda n: "1e" * n,
    "dots": lambda n: "a." * n,
    "open brackets": lambda n: 'print "x" ' + "(" * n,
    "closed brackets": lambda n: ")" * n,
    "nested brackets": lambda n: 'print "x" ' + "(" * n + "1" + ")" * n,
    "nested lists": lambda n: 'print "x" ' + "[" * n + "]" * n,
    "negations": lambda n: 'print "x" ' + "!" * n + "true",
    "signs": lambda n: 'print "x" ' + "- " * n + "1",
    "open string": lambda n: '"' + "a" * n,
    "quotes": lambda n: '"\\"' * n,
    "backslashes": lambda n: '"' + "\\" * n,
    "comments": lambda n: "// x\n" * n,
    "line breaks": lambda n: "\n" * n + "?",
    "sums": lambda n: 'print "x" ' + "1 + " * n + "1",
    "calls": lambda n: 'print "x" ' + "f(" * n,
    "loops": lambda n: 'print "x" ' + "for x in [1] do " * n + "x",
    "inner definitions": lambda n: 'print "x" ' + "let a = 1 in " * n + "a",
    "definitions of one name": lambda n: "let a = 1\n" * n,
    "definitions": lambda n: "".join(f"let a{k} = {k}\n" for k in range(n)),
    "a chain": lambda n: (
        "let a0 = 1\n" + "".join(f"let a{k + 1} = a{k} + 1\n" for k in range(n))
        + f'print "x" a{n}'
    ),
    "imports": lambda n: 'import "nothing"\n' * n,
    "parameters": lambda n: "$A" * n,
    "goals of one name": lambda n: 'print "x" 1\n' * n,
    "unknown names": lambda n: "".join(f'print "x{k}" unknown{k}\n' for k in range(n)),
    "an argument list": lambda n: 'print "x" f(' + "1, " * n + "1)",
    "formal parameters": lambda n: "let f(" + ", ".join(f"x{k}" for k in range(n)) + ") = x0",
    "other letters": lambda n: "\u20ac" * n,
    "infix operators": lambda n: 'print "x" 1 ' + "+-*/" * n + " 1",
}  # fmt: skip


def _nodes(nodes: list[object], goals: list[object] | None = None) -> str:
    return json.dumps({"nodes": nodes, "goals": goals or []})


def _operation(name: str, arguments: dict[str, str], kernel: str = "addition") -> object:
    return {"id": name, "type": "operation", "operator": kernel, "arguments": arguments}


_ONE: Final = {"id": "n0", "type": "constant", "value": 1}
_SHOW: Final = {"operation": "print", "name": "x"}
DOCUMENTS: Final[dict[str, Callable[[int], str]]] = {
    "deep lists": lambda n: "[" * n,
    "deep objects": lambda n: '{"a":' * n,
    "a deep constant": lambda n: (
        '{"nodes":[{"id":"a","type":"constant","value":' + "[" * n + "]" * n + '}],"goals":[]}'
    ),
    "nodes of one id": lambda n: _nodes([_ONE] * n),
    "nodes": lambda n: _nodes([{**_ONE, "id": f"n{k}"} for k in range(n)]),
    "a chain of operations": lambda n: _nodes(
        [_ONE, *(_operation(f"n{k + 1}", {"0": f"n{k}", "1": f"n{k}"}) for k in range(n))],
        [{**_SHOW, "id": f"n{n}"}],
    ),
    "a chain backwards": lambda n: _nodes(
        [*(_operation(f"n{k + 1}", {"0": f"n{k}", "1": f"n{k}"}) for k in reversed(range(n))),
         _ONE],
        [{**_SHOW, "id": f"n{n}"}],
    ),
    "a cycle": lambda n: _nodes(
        [_operation(f"n{k}", {"0": f"n{(k + 1) % n}", "1": "n0"}) for k in range(n)]
    ),
    "arguments": lambda n: _nodes(
        [_ONE, _operation("a", {str(k): "n0" for k in range(n)}, "sequence")],
        [{**_SHOW, "id": "a"}],
    ),
    "unknown arguments": lambda n: _nodes([_operation("a", {f"{k}": f"u{k}" for k in range(n)})]),
    "goals of one name": lambda n: _nodes([_ONE], [{**_SHOW, "id": "n0"}] * n),
    "saves of one name": lambda n: _nodes(
        [_ONE], [{"operation": "save", "id": "n0", "name": "a/" * (k % 50) + "x.json"}
                 for k in range(n)]
    ),
    "members of one name": lambda n: '{"nodes":[],' + '"goals":[],' * n + '"goals":[]}',
    "escapes": lambda n: '{"nodes":"' + "\\u0041" * n + '"}',
    "blanks": lambda n: " " * n + "{",
    "digits": lambda n: '{"nodes":[{"id":"a","type":"constant","value":' + "9" * n + "}]}",
    "a long operator": lambda n: _nodes([_operation("a", {}, "x" * n)]),
}  # fmt: skip
TEXTS: Final[dict[str, tuple[Callable[[str], object], Callable[[int], str]]]] = {
    "a word before a URL": (redact, lambda n: "a" * n + " ://"),
    "many users of a URL": (redact, lambda n: "a://" + "a@" * n + " "),
    "a query": (redact, lambda n: "?" + "a-" * n + "="),
    "controls": (visible, lambda n: "\x1b" * n),
    "a URL": (lambda text: is_below_url(text, "s3://b"), lambda n: "s3://b/" + "%25" * n),
    "an output": (lambda text: s3_target("s3://bkt", text), lambda n: "a/" * n),
    "a MetaImage header": (
        lambda text: data_file_url("a.mhd", text.encode()), lambda n: "A = y" + " " * n + "y"
    ),
    "a NRRD header": (
        lambda text: data_file_url("a.nhdr", text.encode()),
        lambda n: "NRRD0004\nencoding: gz" + " " * n + "x\ndata file:" + "\n" * n,
    ),
}  # fmt: skip
YAML: Final[dict[str, Callable[[int], str]]] = {
    "aliases": lambda n: "a: &a [1]\nb: [" + "*a, " * n + "*a]",
    "anchors": lambda n: "".join(f"- &a{k} 1\n" for k in range(n)),
    "aliases of aliases": lambda n: "a0: &a0 [1]\n" + "".join(
        f"a{k + 1}: &a{k + 1} [*a{k}, *a{k}]\n" for k in range(n)
    ),
    "nested items": lambda n: "- " * n + "1",
    "deep flow": lambda n: "[" * n,
    "deep mappings": lambda n: "{a: " * n,
    "question marks": lambda n: "? " * n,
    "tags": lambda n: "!!a " * n + "1",
    "merge keys": lambda n: "<<: 1\n" * n,
    "comments": lambda n: "# x\n" * n,
    "documents": lambda n: "---\n" * n,
    "a folded text": lambda n: "a: >\n" + "  x\n" * n,
    "an open quote": lambda n: "a: '" + "x\n" * n,
    "colons": lambda n: "a" + ":" * n,
    "indentations": lambda n: "\n".join(" " * (k % 100) + "a:" for k in range(n)),
    "items": lambda n: "nodes:\n" + "- {id: a}\n" * n,
}  # fmt: skip


def _compile(text: str) -> None:
    compile_program(text, index=registry(), symbols=symbols, name="p", parameters={})


def _decode(text: str) -> None:
    key_graph(decode(text, index=registry()), registry())


def _decode_yaml(text: str) -> None:
    key_graph(decode(text, index=registry(), format="yaml"), registry())


def _seconds(run: Callable[[str], object], text: str) -> float:
    begin = time.thread_time()
    with suppress(Voxk8sError):
        run(text)
    return time.thread_time() - begin


SHAPES: Final = [
    pytest.param(run, make, id=f"{kind}: {name}")
    for kind, run, shapes in (
        ("program", _compile, PROGRAMS),
        ("json", _decode, DOCUMENTS),
        ("yaml", _decode_yaml, YAML),
    )
    for name, make in shapes.items()
] + [pytest.param(run, make, id=f"text: {name}") for name, (run, make) in TEXTS.items()]


@pytest.mark.parametrize(("run", "make"), SHAPES)
def test_growth(run: Callable[[str], object], make: Callable[[int], str]) -> None:
    """Four times the size takes at most nine times as long, in the best of some attempts."""
    _seconds(run, make(10))  # imports
    size = _SIZE if _seconds(run, make(_SIZE // _FACTOR)) < _QUICK else _SIZE // _FACTOR
    small, large = make(size), make(_FACTOR * size)
    shortest = {text: _seconds(run, text) for text in (small, large)}
    for _ in range(4):
        if shortest[large] <= max(_QUICK, _MOST_GROWTH * shortest[small]):
            return
        for text, seconds in shortest.items():
            shortest[text] = min(seconds, _seconds(run, text))
    raise AssertionError(f"{shortest[small]:.3f} s become {shortest[large]:.3f} s")

"""Fuzzed programs and plan documents: pieces of valid ones, put together and damaged by chance."""

from __future__ import annotations

import json
import random
import re
import string
from functools import cache
from typing import Final

from tests.support.paths import DATA
from voxk8s.errors import InvalidProgram
from voxk8s.imgql import compile_program, format_program
from voxk8s.imgql.syntax.diagnostics import Diagnostic
from voxk8s.kernels import registry, symbols
from voxk8s.plan import decode, encode, key_graph

_PIECES: Final = (
    *(
        "let ",
        "in ",
        "for ",
        "do ",
        "fold ",
        "print ",
        "save ",
        "import ",
        "load ",
        "true",
        "false",
    ),
    *(
        "=",
        "==",
        "+",
        "-",
        "*",
        "/",
        ".",
        "..",
        ":",
        "::",
        "_",
        "__",
        "//",
        "|",
        "&",
        "!",
        "<.",
        ">.",
    ),
    *("(", ")", "[", "]", ",", "\n", " ", "\t", "\r", '"', "\\", "$", "$A", "$B", ";", "#", "{"),
    *(
        "a",
        "b",
        "x",
        "f",
        "f(x)",
        "f(x, y)",
        "B+",
        "a.b",
        "vox1",
        "intensity",
        "tt",
        "near",
        "range",
    ),
    *(
        "0",
        "1",
        "3.5",
        ".5",
        "1e9",
        "1e999",
        "9" * 30,
        '"a"',
        '"vox1"',
        '"a.nii.gz"',
        "\u20ac",
        "\x00",
    ),
    *(
        "let f(x) = x + 1\n",
        'print "x" f(2)\n',
        "range(0, 9)",
        "map(f, [1, 2])",
        "\ud800",
        '"\ud800"',
        "\ufeff",
    ),
    *("let a = 1\n", "for x in [1, 2] do x", "fold + 0 [1, 2]", "let b = 2 in b", "[0:1]"),
)
_SPACES: Final = ("\n", "\n\n\n", "  ", "\t", " // a\n", "//\n", "\r\n", "\f", "+", "(", ")", ", ")
_PLACE: Final = re.compile(r"\d+")
_PROGRAMS: Final = DATA / "programs"
_NAMES: Final = ("a", "b", "c", "f", "x", "y", "accumulator", "", "\ud800", "0" * 64, "a" * 64)
_KERNELS: Final = (
    *(
        "addition",
        "sequence",
        "range",
        "map",
        "fold",
        "index",
        "load",
        "dir",
        "vox1.tt",
        "subsequence",
    ),
    *("default.addition", "voxk8s.save", "near", "nothing", ""),
)
_VALUES: Final[tuple[object, ...]] = (
    *(0, 1, -1, 2.5, 1e308, -0.0, True, "", "a", "\ud800", 10**30, None, [], {}, float("nan")),
    float("inf"),
)


def program(source: random.Random) -> object:
    """Return the text of a program."""
    count = source.choice((3, 10, 40))
    text = "".join(source.choices(_PIECES, k=count))
    if source.random() < 0.3:
        text = text * source.choice((2, 30))
    if source.random() < 0.2:
        text += source.choice(_PIECES) * 300
    return text


def compile_text(given: object) -> None:
    """Compile a program; the places of its errors must lie in it."""
    text = str(given)
    try:
        compile_program(
            text, index=registry(), symbols=symbols, name="p", parameters={"A": "1", "B": "x\ny"}
        )
    except InvalidProgram as error:
        lines = text.count("\n") + 1
        for each in error.diagnostics:
            assert isinstance(each, Diagnostic)
            assert each.file != "p" or 1 <= each.line <= lines, each
            assert each.file != "p" or 1 <= each.column <= len(text) + 1, each
        raise


def damaged_program(source: random.Random) -> object:
    """Return the text of a program that is right but for a few pieces."""
    text = source.choice(_samples())
    for _ in range(source.randrange(1, 4)):
        start = source.randrange(len(text) + 1)
        stop = min(len(text), start + source.choice((0, 0, 1, 5, 30)))
        piece = source.choice(("", text[start:stop] * 2, *_SPACES, *source.choices(_PIECES, k=4)))
        text = text[:start] + piece + text[stop:]
    return text


@cache
def _samples() -> tuple[str, ...]:
    """Return programs that are right."""
    return tuple(path.read_text("utf-8") for path in sorted(_PROGRAMS.rglob("*.imgql")))


def format_text(given: object) -> None:
    """Format a program; it remains as it is the second time, and means the same."""
    text = str(given)
    formatted = format_program(text, name="p")
    assert format_program(formatted, name="p") == formatted
    assert _meaning(formatted) == _meaning(text), formatted


def _meaning(text: str) -> tuple[object, ...]:
    """Return the plan of a program, or what its errors are."""
    parameters = dict.fromkeys(re.findall(r"\$(\w+)", text), "1")
    try:
        plan = compile_program(
            text,
            index=registry(),
            symbols=symbols,
            name="p",
            parameters=parameters,
            read_file=lambda path: (_PROGRAMS / path).read_text("utf-8"),
        ).plan
    except InvalidProgram as error:
        return tuple(
            _PLACE.sub("", each.message)
            for each in error.diagnostics
            if isinstance(each, Diagnostic)
        )
    return (encode(plan),)


def _document(source: random.Random, depth: int = 0) -> dict[str, object]:
    nodes = [_node(source, depth) for _ in range(source.randrange(6))]
    goals = [
        {
            "operation": source.choice(("print", "save", "save", "delete")),
            "id": source.choice(_NAMES),
            "name": source.choice(("r", "a.json", "../x", "", "\ud800")),
        }
        for _ in range(source.randrange(3))
    ]
    found: dict[str, object] = {"nodes": nodes, "goals": goals}
    if source.random() < 0.3:
        found["imports"] = source.choice((["vox1"], [], ["nothing"], "vox1", [1]))
    return _damaged(source, found)


def _node(source: random.Random, depth: int) -> dict[str, object]:
    kind = source.choice(("constant", "operation", "operation", "parameter", "closure"))
    node: dict[str, object] = {"id": source.choice(_NAMES), "type": kind}
    if kind == "constant":
        node[source.choice(("value", "value", "float", "int"))] = source.choice(_VALUES)
    elif kind == "operation":
        node["operator"] = source.choice(_KERNELS)
        count = source.randrange(4)
        node["arguments"] = {str(place): source.choice(_NAMES) for place in range(count)}
    elif kind == "parameter":
        node["name"] = source.choice(_NAMES)
    else:
        node["variable"] = source.choice(_NAMES)
        node["captures"] = {source.choice(_NAMES): source.choice(_NAMES)}
        node["nodes"] = _document(source, depth + 1).get("nodes", []) if depth < 3 else []
        node["result"] = source.choice(_NAMES)
    return _damaged(source, node)


def _damaged(source: random.Random, members: dict[str, object]) -> dict[str, object]:
    """Return an object, now and then with a member that is missing, wrong or too much."""
    if source.random() < 0.1:
        members[source.choice(("buffer_id", "value", "extra", *members))] = source.choice(_VALUES)
    if source.random() < 0.05:
        members.pop(source.choice(list(members)))
    return members


def _damaged_text(source: random.Random, text: str) -> str:
    """Return a text, now and then with a piece removed, repeated or replaced."""
    while source.random() < 0.3:
        start = source.randrange(len(text) + 1)
        stop = min(len(text), start + source.choice((1, 5, 50)))
        piece = source.choice(("", text[start:stop] * 2, source.choice(string.printable), "\ufeff"))
        text = text[:start] + piece + text[stop:]
    return text


def document_json(source: random.Random) -> object:
    """Return a plan document as JSON."""
    ascii_only = source.random() < 0.9
    return _damaged_text(source, json.dumps(_document(source), ensure_ascii=ascii_only))


def document_yaml(source: random.Random) -> object:
    """Return a plan document as YAML: as block style, or as the JSON that YAML contains."""
    text = json.dumps(_document(source), indent=source.choice((None, 1)))
    if source.random() < 0.5:
        text = text.replace("{", "").replace("}", "").replace('"', "").replace(",\n", "\n")
    return _damaged_text(source, text)


def decode_json(given: object) -> None:
    """Decode a document; what is valid has keys and a normal form that means the same."""
    _check(decode(str(given), index=registry()))


def decode_yaml(given: object) -> None:
    """Decode a YAML document likewise."""
    _check(decode(str(given), index=registry(), format="yaml"))


def _check(plan: object) -> None:
    from voxk8s.plan import WorkPlan

    assert isinstance(plan, WorkPlan)
    key_graph(plan, registry())
    again = decode(encode(plan), index=registry())
    assert again.goals == plan.goals
    assert set(again.nodes) == set(plan.nodes)

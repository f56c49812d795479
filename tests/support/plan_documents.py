"""Short words to write plan documents in tests with."""

from __future__ import annotations

import pytest

from tests.support.kernel_index import FakeIndex
from voxk8s.errors import InvalidPlan
from voxk8s.plan import KeyGraph, Pin, WorkPlan, decode, expand, key_graph
from voxk8s.plan.model import Digest, ResultKey

Form = dict[str, object]
INDEX = FakeIndex()


def constant(label: str, value: object) -> Form:
    """Return a constant."""
    return {"id": label, "type": "constant", "value": value}


def operation(label: str, operator: str, *arguments: str) -> Form:
    """Return an operation."""
    named = {str(place): name for place, name in enumerate(arguments)}
    return {"id": label, "type": "operation", "operator": operator, "arguments": named}


def parameter(name: str) -> Form:
    """Return a parameter whose label is its name."""
    return {"id": name, "type": "parameter", "name": name}


def closure(label: str, variable: str, nodes: list[Form], result: str, **captures: str) -> Form:
    """Return a closure."""
    return {
        "id": label,
        "type": "closure",
        "variable": variable,
        "captures": captures,
        "nodes": nodes,
        "result": result,
    }


def goal(label: str, name: str = "r", kind: str = "print") -> Form:
    """Return a goal."""
    return {"operation": kind, "id": label, "name": name}


def document(*nodes: Form, goals: list[Form], imports: list[str] | None = None) -> Form:
    """Return a document; `vox1` is imported unless said otherwise."""
    return {"nodes": [*nodes], "goals": goals, "imports": imports or ["vox1"]}


def plan(*nodes: Form, goals: list[Form]) -> WorkPlan:
    """Decode a document."""
    return decode(document(*nodes, goals=goals), index=INDEX)


def pin(url: str, content: str = "", entries: tuple[str, ...] | None = None) -> Pin:
    """Pin an input to a digest made from a letter or the URL's last letter."""
    return Pin(url, Digest((content or url)[-1].encode().hex() * 32), 1, entries)


def pinned(graph: KeyGraph, folders: dict[str, tuple[str, ...]] | None = None) -> KeyGraph:
    """Pin inputs until nothing asks for a pin any more."""
    while graph.unpinned:
        graph = expand(
            graph,
            pins={
                name: pin(str(ref.arguments[0]), "", (folders or {}).get(str(ref.arguments[0])))
                for name, ref in graph.unpinned.items()
            },
        )
    return graph


def graph_of(*nodes: Form, goals: list[Form]) -> KeyGraph:
    """Decode a document and give its keys, every input pinned."""
    return pinned(key_graph(plan(*nodes, goals=goals), INDEX))


def refused(source: str | bytes | Form) -> InvalidPlan:
    """Return the error that a document is refused with."""
    with pytest.raises(InvalidPlan) as caught:
        decode(source, index=INDEX)
    assert "\n" not in str(caught.value)
    return caught.value


def body(*nodes: Form, result: str) -> Form:
    """Return a closure over `x` named `f`."""
    return closure("f", "x", [*nodes], result)


def goal_key(graph: KeyGraph, place: int = 0) -> ResultKey:
    """Return the key of a goal."""
    found = graph.goals[place].key
    assert found is not None
    return found


def argument_keys(graph: KeyGraph, key: ResultKey | None) -> tuple[ResultKey, ...]:
    """Return the keys of a node's arguments."""
    assert key is not None
    return graph.nodes[key].arguments


def load(label: str, url: str) -> list[Form]:
    """Return a load of a constant URL."""
    return [constant(f"url of {label}", url), operation(label, "load", f"url of {label}")]


_X_PLUS_K = [parameter("x"), parameter("k"), operation("s", "addition", "x", "k")]


def loop(sequence: str = "xs", *body: Form, result: str = "s") -> list[Form]:
    """Return `for x in sequence do x + k` (or another body) as the operation `m`."""
    nodes = list(body) or _X_PLUS_K
    return [
        constant("k", 2.0),
        closure("f", "x", nodes, result, k="k"),
        operation("m", "map", "f", sequence),
    ]


def deferred_loop() -> KeyGraph:
    """Return the graph of a loop over a computed range, beside a goal that does not wait."""
    return graph_of(
        constant("c", 1.0),
        operation("n", "addition", "c", "c"),
        operation("xs", "range", "n"),
        *loop(),
        operation("after", "near", "m"),
        goals=[goal("after"), goal("n")],
    )

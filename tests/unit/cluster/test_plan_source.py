"""Where plans come from, and the way from their text to a plan."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.support.scripted_kube import ScriptedKube
from voxk8s.api.spec import Source
from voxk8s.cluster.plan_source import (
    Document,
    SourceDigestMismatch,
    SourceUnavailable,
    check_digest,
    check_inputs,
    document_format,
    read_plan,
    read_source,
)
from voxk8s.errors import InputNotAllowed, InvalidPlan, InvalidProgram
from voxk8s.kernels import registry

PLAN = {
    "nodes": [
        {"id": "a", "type": "constant", "value": 5},
        {"id": "s", "type": "operation", "operator": "addition", "arguments": {"0": "a", "1": "a"}},
    ],
    "goals": [{"operation": "print", "id": "s", "name": "sum"}],
}


def config_map(**data: str) -> ScriptedKube:
    """An API server with a ConfigMap `plans` in namespace ns."""
    kube = ScriptedKube()
    kube.put({"kind": "ConfigMap", "metadata": {"namespace": "ns", "name": "plans"}, "data": data})
    return kube


async def read(kube: ScriptedKube, **source: Any) -> Document | None:
    """Read a source."""
    made = msgspec.convert(source, Source)
    return await read_source(kube, "ns", made)  # type: ignore[arg-type]


async def test_inline_plan() -> None:
    """An inline plan passed through the API server, which is remembered."""
    found = await read(ScriptedKube(), plan=PLAN)
    assert found is not None
    assert (found.format, found.inline) == ("json", True)
    assert len(read_plan(found, None, registry()).goals) == 1


@pytest.mark.parametrize(
    ("key", "text", "format_name"),
    [
        ("p.json", msgspec.json.encode(PLAN).decode(), "json"),
        ("p.yaml", msgspec.yaml.encode(PLAN).decode(), "yaml"),
        ("p.imgql", 'print "sum" 5 + 3', "imgql"),
    ],
)
async def test_config_map(key: str, text: str, format_name: str) -> None:
    """A key's suffix says what it holds, and all kinds become plans."""
    found = await read(config_map(**{key: text}), configMapRef={"name": "plans", "key": key})
    assert found is not None
    assert (found.format, found.inline) == (format_name, False)
    assert len(read_plan(found, None, registry()).goals) == 1


async def test_missing_config_map_and_key() -> None:
    """A missing ConfigMap or key is waited for, and named."""
    with pytest.raises(SourceUnavailable, match=r"ConfigMap plans .*namespace ns"):
        await read(ScriptedKube(), configMapRef={"name": "plans", "key": "p.json"})
    kube = config_map(**{"other.json": "{}"})
    with pytest.raises(SourceUnavailable, match=r"no key p\.json .*other\.json"):
        await read(kube, configMapRef={"name": "plans", "key": "p.json"})


async def test_program_imports_from_its_config_map() -> None:
    """A program may import the other keys of its ConfigMap, and nothing else."""
    kube = config_map(
        **{"p.imgql": 'import "lib.imgql"\nprint "x" twice(4)', "lib.imgql": "let twice(x) = x + x"}
    )
    reference = {"name": "plans", "key": "p.imgql"}
    found = await read(kube, configMapRef=reference)
    assert found is not None
    assert len(read_plan(found, None, registry()).goals) == 1
    kube = config_map(**{"p.imgql": 'import "/etc/passwd"\nprint "x" 4'})
    found = await read(kube, configMapRef=reference)
    assert found is not None
    with pytest.raises(InvalidProgram):
        read_plan(found, None, registry())


async def test_url_is_not_read_here() -> None:
    """What lies behind a URL is not the cluster's to give."""
    assert await read(ScriptedKube(), url="s3://b/p.json") is None


def test_parameters_are_for_programs() -> None:
    """Parameters reach a program; a plan document has none."""
    program = Document(b'print "x" $CASE', "imgql", "program")
    assert len(read_plan(program, {"CASE": "7"}, registry()).goals) == 1
    document = Document(msgspec.json.encode(PLAN), "json")
    with pytest.raises(InvalidPlan, match="parameters"):
        read_plan(document, {"CASE": "7"}, registry())


@pytest.mark.parametrize("name", ["plan", "plan.txt", ".hidden/plan"])
def test_unknown_suffix(name: str) -> None:
    """A document whose suffix says nothing is refused."""
    with pytest.raises(InvalidPlan, match=r"ends in \.imgql"):
        document_format(name)


def test_digest() -> None:
    """A document must have the digest that is asked for."""
    document = Document(b"{}", "json", "p.json")
    assert check_digest(document, document.digest) is document
    assert check_digest(document, None) is document
    with pytest.raises(SourceDigestMismatch, match=r"p\.json"):
        check_digest(document, f"sha256:{'0' * 64}")


def test_local_inputs_are_refused() -> None:
    """Local paths are refused by their address; URLs are not looked at."""

    def loads(url: str) -> dict[str, Any]:
        nodes: list[dict[str, Any]] = [
            {"id": "u", "type": "constant", "value": url},
            {"id": "i", "type": "operation", "operator": "load", "arguments": {"0": "u"}},
        ]
        return {"nodes": nodes, "goals": [{"operation": "save", "id": "i", "name": "x.nii"}]}

    for url in ("/x.nii", "file:///x.nii", "FILE:/x.nii"):
        plan = read_plan(Document(msgspec.json.encode(loads(url)), "json"), None, registry())
        with pytest.raises(InputNotAllowed, match=r"x\.nii"):
            check_inputs(plan, registry())
    plan = read_plan(Document(msgspec.json.encode(loads("s3://b/x")), "json"), None, registry())
    check_inputs(plan, registry())
    url = "pvc://images/a.nii"
    plan = read_plan(Document(msgspec.json.encode(loads(url)), "json"), None, registry())
    check_inputs(plan, registry(), ["images"])
    with pytest.raises(InputNotAllowed, match=r"claim images is not mounted; add it to spec\."):
        check_inputs(plan, registry(), ["masks"])

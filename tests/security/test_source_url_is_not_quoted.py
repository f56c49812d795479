"""Errors about `source.url` do not show what stands in a document that anybody may name."""

from __future__ import annotations

import pytest

from tests.support.scripted_http import Answer, serving
from voxk8s.cluster.plan_source import fetch_document, read_plan
from voxk8s.errors import InputNotAllowed, InvalidPlan, InvalidProgram
from voxk8s.inputs.input_options import InputOptions
from voxk8s.kernels import registry

BODY = b'print "x" 1\nSecretAccessKey = wJalrXUtnFEMI ??\n{"a": S3cr3t}'


@pytest.mark.parametrize("name", ["a.imgql", "a.json", "a.yaml"])
def test_a_document_of_another_service(name: str) -> None:
    """In a cluster it is not read at all; elsewhere errors have places, and no words of it."""
    with serving(lambda *_: Answer(200, BODY, lasts=True)) as server:
        url = f"{server.endpoint}/{name}"
        with pytest.raises(InputNotAllowed):
            fetch_document(url, InputOptions(local_allowed=False))
        document = fetch_document(url, InputOptions())
        with pytest.raises((InvalidPlan, InvalidProgram)) as raised:
            read_plan(document, None, registry())
        for word in ("Secret", "wJalr", "S3cr3t"):
            assert word not in str(raised.value)
        assert raised.value.__cause__ is None


def test_a_document_of_an_allowed_place() -> None:
    """Who may be read by everybody is quoted as usual."""
    with serving(lambda *_: Answer(200, BODY, lasts=True)) as server:
        options = InputOptions(local_allowed=False, allowed_prefixes=(server.endpoint,))
        document = fetch_document(f"{server.endpoint}/a.imgql", options)
        with pytest.raises(InvalidProgram, match="SecretAccessKey"):
            read_plan(document, None, registry())

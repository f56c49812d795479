"""The connection of commands to a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Done
from tests.support.fake_kube import FakeKube
from tests.support.scripted_kube import ScriptedKube
from tests.unit.cli.workplan_statuses import DONE, FAILED, RUNNING, UNMET
from voxk8s.api.workplan import decode_resource
from voxk8s.cli import connection
from voxk8s.cli.connection import exit_status, namespace_of, read_workplan, with_cluster
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import NotFound

KUBECONFIG = """
current-context: here
contexts:
- {name: there, context: {namespace: theirs}}
- {name: here, context: {namespace: mine}}
- {name: bare, context: {}}
"""


def arguments(namespace: str | None = None, context: str | None = None) -> argparse.Namespace:
    """Return the options of a command for clusters."""
    return argparse.Namespace(namespace=namespace, context=context)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Return a kubeconfig with three contexts."""
    path = tmp_path / "config"
    path.write_text(KUBECONFIG)
    return path


@pytest.mark.parametrize(
    ("namespace", "context", "expected"),
    [
        (None, None, "mine"),
        (None, "there", "theirs"),
        (None, "bare", "default"),
        (None, "unknown", "default"),
        ("given", "there", "given"),
    ],
)
def test_namespace_is_that_of_the_option_or_the_context(
    kubeconfig: Path, namespace: str | None, context: str | None, expected: str
) -> None:
    """The option has precedence; a context without a namespace means `default`."""
    env = {"KUBECONFIG": f"{kubeconfig}:/elsewhere"}
    assert namespace_of(namespace, context, env) == expected


def test_kubeconfig_of_the_home_folder_is_the_default(kubeconfig: Path, tmp_path: Path) -> None:
    """It is read if KUBECONFIG is not set."""
    (tmp_path / ".kube").mkdir()
    kubeconfig.rename(tmp_path / ".kube" / "config")
    assert namespace_of(None, None, {"HOME": str(tmp_path)}) == "mine"


@pytest.mark.parametrize("content", [None, "[", "text", "\x00"])
def test_unreadable_kubeconfig_means_default(tmp_path: Path, content: str | None) -> None:
    """Connecting reports what is wrong with the file."""
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    assert namespace_of(None, None, {"KUBECONFIG": str(path)}) == "default"


def test_namespace_in_a_pod_is_that_of_its_service_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in a file; without the file it is `default`."""
    path = tmp_path / "namespace"
    monkeypatch.setattr(connection, "_POD_NAMESPACE", path)
    env = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert namespace_of(None, None, env) == "default"
    path.write_text("lab\n")
    assert namespace_of(None, None, env) == "lab"


def test_action_gets_a_client_and_the_namespace(kube: FakeKube) -> None:
    """Its exit status is returned."""
    kube.add("one", DONE)

    async def action(client: KubeClient, namespace: str) -> int:
        found = await read_workplan(client, "one", namespace)
        assert (found.metadata.name, namespace) == ("one", "mine")
        return 7

    assert with_cluster(arguments(), action) == 7


async def test_missing_workplan_is_named() -> None:
    """The error has its name and the namespace."""
    scripted: KubeClient = ScriptedKube()  # type: ignore[assignment]  # has the methods that are used
    with pytest.raises(NotFound, match="WorkPlan one not found in namespace mine"):
        await read_workplan(scripted, "one", "mine")


@pytest.mark.parametrize(("status", "expected"), [(DONE, 0), (FAILED, 1), (RUNNING, 1), (UNMET, 3)])
def test_exit_status_says_how_a_workplan_ended(
    kube: FakeKube, status: dict[str, object], expected: int
) -> None:
    """0 for success only, 3 for a value that is not as expected, as `voxk8s run` has it."""
    assert exit_status(decode_resource(kube.add("one", status))) == expected


def test_missing_kubeconfig_is_an_error(call: Callable[..., Done]) -> None:
    """The exit status is 1, and the message says what to set."""
    done = call("status")
    assert (done.status, done.out) == (1, "")
    assert "KUBECONFIG" in done.err


def test_api_server_that_does_not_answer_is_an_error(
    call: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit status is 1."""
    monkeypatch.setenv("KUBECONFIG", str(FakeKube(port=9).kubeconfig(tmp_path)))
    done = call("status")
    assert (done.status, done.out) == (1, "")
    assert "does not answer" in done.err

"""Who looks at a WorkPlan of another author, or fetches its files, gets no surprise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.scripted_kube import ScriptedKube
from voxk8s.api.workplan import WorkPlanResource, decode_resource
from voxk8s.cli.commands import results
from voxk8s.errors import InvalidUsage
from voxk8s.storage import open_store
from voxk8s.values import SavedFile

if TYPE_CHECKING:
    from voxk8s.cluster.kube_client import KubeClient

EVIL = "\x1b]0;owned\x07\x9b2J\u202egpj.nii https://me:hidden@server/x"


def _results(**status: Any) -> WorkPlanResource:
    return decode_resource(
        {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            "metadata": {"name": "a", "namespace": "b"},
            "spec": {"source": {"program": 'print "x" 1'}},
            "status": {"phase": "Succeeded", **status},
        }
    )


@pytest.mark.parametrize("as_json", [True, False])
def test_a_status_gives_no_orders_to_a_terminal(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    """Nor does it show the passwords in URLs; a runner can write all of these fields."""
    resource = _results(
        results=[
            {"goal": EVIL, "kind": "print", "value": EVIL, "truncated": True},
            {"goal": EVIL, "kind": "save", "url": f"s3://b/{EVIL}"},
        ],
        runURL=f"s3://b/{EVIL}",
        resultsOmitted=3,
        failures=[{"message": EVIL, "operation": "0" * 64, "kernel": "k", "reason": "r"}],
    )
    results.write(resource, as_json=as_json)
    shown = capsys.readouterr()
    for text in (shown.out, shown.err):
        assert "owned" in text
        assert all(sign.isprintable() or sign in "\n\t" for sign in text)
    assert "hidden" not in shown.err


@pytest.mark.parametrize("name", [".git/config", "a/.git/config", "./.bashrc", ".ssh/rc"])
def test_a_download_writes_no_hidden_files(tmp_path: Path, name: str) -> None:
    """What programs obey is often hidden, and a repository or a home is a usual folder."""
    store = open_store((tmp_path / "store").as_uri())
    put = store.put("0" * 64, SavedFile(b"[core]\nfsmonitor = evil\n", ".txt", "text/plain"))
    resource = _results(results=[{"goal": name, "kind": "save", "url": store.url_of(put.digest)}])
    with pytest.raises(InvalidUsage, match="hidden"):
        results.saved_files(resource, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_name_that_no_system_takes_is_said(tmp_path: Path) -> None:
    """A status can have any characters."""
    resource = _results(
        results=[{"goal": "a\0.txt", "kind": "save", "url": f"s3://b/cas/sha256/00/{'0' * 62}"}]
    )
    with pytest.raises(InvalidUsage, match="expected a file name"):
        results.saved_files(resource, tmp_path)


@pytest.mark.parametrize("server", ["redis://stranger/0", "rediss://stranger", "memory://x", "/x"])
async def test_a_download_asks_no_other_kind_of_server(tmp_path: Path, server: str) -> None:
    """It would get the password for Redis in the user's environment."""
    digest = "0" * 64
    url = f"{server}/cas/sha256/{digest[:2]}/{digest[2:]}"
    resource = _results(
        results=[{"goal": "a.txt", "kind": "save", "url": url}],
        report={"url": f"{server}/runs/report.html"},
    )
    with pytest.raises(InvalidUsage, match="expected the URL of a blob"):
        results.saved_files(resource, tmp_path)
    with pytest.raises(InvalidUsage, match="not a file of a run"):
        await results.read_report(cast("KubeClient", ScriptedKube()), resource)

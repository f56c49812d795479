"""Bringing files in and fetching results with a kubeconfig alone, from a real S3 server.

The server is behind a port-forward, and users have the keys of their trust domain: sessions as the
operator makes them. Nothing in the environment says where the store is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest

from tests.support.cli import Done, environment
from tests.support.forwarding_kube import ForwardingKube, Json, serving
from tests.support.s3 import S3Server
from tests.support.s3_proxy import Fault, proxied
from tests.unit.cli.workplan_statuses import DONE
from voxk8s.cli.__main__ import call as call_program
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.storage import TrustDomains, open_store
from voxk8s.storage.scoped_credentials import session_policy
from voxk8s.storage.store_options import parse_url
from voxk8s.storage.uploads import Uploader
from voxk8s.values import SavedFile

pytestmark = pytest.mark.s3
SECRET = "namespaces/lab/secrets/voxk8s-store"
MEGABYTE = 1024 * 1024


@pytest.fixture
def kube(s3_server: S3Server) -> Iterator[ForwardingKube]:
    """Return an API server whose port-forward leads to the S3 server."""
    with serving() as found:
        port = urlsplit(s3_server.endpoint).port
        assert port is not None
        found.put_server("store", "system", 8333, port)
        yield found


@pytest.fixture
def store(s3_server: S3Server) -> str:
    """Return the URL of a store of this test."""
    return s3_server.url()


@pytest.fixture
def call(
    kube: ForwardingKube,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Done]:
    """Return a way to call voxk8s in the namespace lab, with a kubeconfig and nothing else."""
    monkeypatch.chdir(tmp_path)
    clean = environment(tmp_path, {"KUBECONFIG": str(kube.kubeconfig(tmp_path, "lab"))})

    def invoke(*words: str, **more: str) -> Done:
        capsys.readouterr()
        with patch.dict(os.environ, {**clean, **more}, clear=True):
            status = call_program(words)
        return Done(status, *capsys.readouterr())

    return invoke


def session(server: S3Server, store: str, domain: str) -> S3Server:
    """Return the server as a run of a domain sees it."""
    policy = session_policy(parse_url(store), TrustDomains(domain), confine_listing=True)
    return server.session(*policy["Statement"])


def give_keys(kube: ForwardingKube, server: S3Server, store: str, namespace: str = "lab") -> None:
    """Write the Secret of a namespace that is a trust domain of its own."""
    keys = session(server, store, namespace)
    values = {
        **keys.env,
        "AWS_ENDPOINT_URL": "http://store.system.svc.cluster.local:8333",
        "VOXK8S_STORE": store,
        "VOXK8S_STORE_DOMAIN": namespace,
    }
    until = {"voxk8s.io/keys-until": "2099-01-01T00:00:00+00:00"}
    kube.put_secret(namespace, "voxk8s-store", values, annotations=until)


def test_a_file_is_brought_in_by_somebody_without_keys(
    kube: ForwardingKube,
    call: Callable[..., Done],
    s3_server: S3Server,
    store: str,
    tmp_path: Path,
) -> None:
    """The operator is asked for keys; the URL is in the trust domain, and is sent once only."""

    def operator(path: str, made: Json) -> None:
        assert made["spec"]["suspend"] is True
        give_keys(kube, s3_server, store)

    kube.on_create = operator
    (tmp_path / "scans" / "deep").mkdir(parents=True)
    (tmp_path / "scans" / ".hidden").write_bytes(b"no")
    (tmp_path / "scans" / "deep" / "b.dcm").write_bytes(b"b")
    (tmp_path / "one.nii").write_bytes(b"one")
    done = call("upload", "one.nii", "scans/", "--to", "study 1")
    root = f"{store}/domains/lab/uploads/study 1"
    assert (done.status, done.out) == (0, f"{root}/one.nii\n{root}/scans/\n"), done.err
    assert "sent 2 of 2 files, 4 bytes; 0 were there already" in done.err
    bucket, _, key = root.removeprefix("s3://").partition("/")
    client = s3_server.client()
    listed = client.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
    assert [each["Key"].removeprefix(key) for each in listed] == ["/one.nii", "/scans/deep/b.dcm"]
    assert client.get_object(Bucket=bucket, Key=f"{key}/one.nii")["Body"].read() == b"one"
    assert "workplans" not in "".join(kube.objects), "the request for keys is deleted"
    again = call("upload", "one.nii", "--to", "study 1")
    assert "sent 0 of 1 files, 0 bytes; 1 were there already" in again.err
    (tmp_path / "one.nii").write_bytes(b"two")
    other = call("upload", "one.nii", "--to", "study 1")
    assert (other.status, other.out) == (2, "")
    assert f"{root}/one.nii has other content: choose another prefix (--to PREFIX)" in other.err
    assert call("upload", "one.nii", "--to", "study 1", "--replace").status == 0
    assert client.get_object(Bucket=bucket, Key=f"{key}/one.nii")["Body"].read() == b"two"


def test_nobody_replaces_or_reads_uploads_of_another_domain(
    kube: ForwardingKube,
    call: Callable[..., Done],
    s3_server: S3Server,
    store: str,
    tmp_path: Path,
) -> None:
    """The keys of a namespace are refused by the server below the prefix of another one."""
    give_keys(kube, s3_server, store)
    give_keys(kube, s3_server, store, "ward")
    (tmp_path / "one.nii").write_bytes(b"ours")
    url = call("upload", "one.nii").out.strip()
    (tmp_path / "one.nii").write_bytes(b"theirs")
    to = url.rpartition("/")[0]
    for more in ((), ("--replace",)):
        done = call("upload", "one.nii", "-n", "ward", "--to", to, *more)
        assert done.status == 1
        assert f"the store refuses to write {url}" in done.err
    bucket, _, key = url.removeprefix("s3://").partition("/")
    foreign = session(s3_server, store, "ward").client()
    with pytest.raises(foreign.exceptions.ClientError, match="AccessDenied"):
        foreign.get_object(Bucket=bucket, Key=key)
    assert s3_server.client().get_object(Bucket=bucket, Key=key)["Body"].read() == b"ours"


def test_a_large_upload_goes_on_where_it_stopped(s3_server: S3Server, tmp_path: Path) -> None:
    """Parts that are there are not sent again, and the whole has the bytes of the file."""
    path = tmp_path / "large.nii"
    path.write_bytes(os.urandom(40 * MEGABYTE))
    key = f"{parse_url(s3_server.url()).prefix}/large.nii"

    class Stopped(Exception):
        pass

    def stop(_: int) -> None:
        raise Stopped

    uploader = Uploader(s3_server.bucket, s3_server.options, tmp_path / "memory")
    with pytest.raises(Stopped):
        uploader.put(path, key, stop)
    sent: list[int] = []
    uploader = Uploader(s3_server.bucket, s3_server.options, tmp_path / "memory")
    uploader._client.meta.events.register(
        "provide-client-params.s3.UploadPart", lambda params, **_: sent.append(params["PartNumber"])
    )
    assert uploader.put(path, key).sent
    assert sent == [2, 3], "the first part was there"
    stored = s3_server.client().get_object(Bucket=s3_server.bucket, Key=key)["Body"].read()
    assert stored == path.read_bytes()
    assert not list((tmp_path / "memory").iterdir())
    assert not uploader.put(path, key).sent


@pytest.mark.parametrize("size", [3, 17 * MEGABYTE])
def test_an_upload_whose_answer_is_lost_is_no_other_content(
    s3_server: S3Server, tmp_path: Path, size: int
) -> None:
    """What asks again is told that something is there: the same bytes, as from somebody else."""
    path = tmp_path / "a.nii"
    path.write_bytes(os.urandom(size))
    key = f"{parse_url(s3_server.url()).prefix}/a.nii"
    left = [Fault(after=True)]

    def cut(method: str, target: str) -> Fault | None:
        last = method == "PUT" if size == 3 else method == "POST" and "uploadId" in target
        return left.pop() if last and left else None

    with proxied(s3_server, cut) as proxy:
        uploader = Uploader(s3_server.bucket, proxy.options, tmp_path / "memory")
        assert uploader.put(path, key).size == size
    assert not left
    assert not list((tmp_path / "memory").glob("*"))


def test_an_upload_goes_on_by_another_port_forward(
    kube: ForwardingKube, call: Callable[..., Done], s3_server: S3Server, store: str, tmp_path: Path
) -> None:
    """Which has another address; and after a server that failed at the very end."""
    give_keys(kube, s3_server, store)
    (tmp_path / "large.nii").write_bytes(os.urandom(33 * MEGABYTE))
    fails = True

    def fail(method: str, target: str) -> Fault | None:
        fault = fails and method == "POST" and "uploadId" in target
        return Fault(503, "SlowDown") if fault else None

    with proxied(s3_server, fail) as proxy:
        kube.ports["store-0", 8333] = proxy.port
        first = call("upload", "large.nii")
        assert (first.status, "the store failed to write" in first.err) == (1, True)
        assert proxy.count("PUT", "partNumber") == 3
        fails = False
        assert call("upload", "large.nii").status == 0
        assert proxy.count("PUT", "partNumber") == 3, "no part is sent again"


def test_the_printed_url_leads_to_the_file(
    kube: ForwardingKube, call: Callable[..., Done], s3_server: S3Server, store: str, tmp_path: Path
) -> None:
    """Of any name that is taken; a prefix is written as the store has it."""
    give_keys(kube, s3_server, store)
    names = ["a b.json", "a#b.json", "a?b.json", "50%25.json", "核é.json"]
    for name in names:
        (tmp_path / name).write_text(json.dumps([name]))
    done = call("upload", *names, "--to", "a//./b")
    assert done.status == 0, done.err
    options = InputOptions.from_env(s3_server.env)
    for url, name in zip(done.out.splitlines(), names, strict=True):
        assert load_input(pin_input(url, options), options) == [name]


def test_results_are_fetched_once_and_verified(
    kube: ForwardingKube,
    call: Callable[..., Done],
    s3_server: S3Server,
    store: str,
    tmp_path: Path,
) -> None:
    """By the Secret and a port-forward; a fetch that was interrupted goes on."""
    give_keys(kube, s3_server, store)
    data = os.urandom(9 * MEGABYTE)
    domain = open_store(store, options=s3_server.options, domain="lab", env={})
    put = domain.put("0" * 64, SavedFile(data, ".nii", "image/nifti"))
    results = [{"goal": "a/m.nii", "kind": "save", "url": domain.url_of(put.digest)}]
    report = domain.write_run_file("lab/one/u/report.html", b"<p>", "text/html")
    status = {**DONE, "results": results, "report": {"url": report}}
    kube.put(
        "namespaces/lab/workplans/one",
        {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            "metadata": {"namespace": "lab", "uid": "u"},
            "spec": {"source": {"program": 'print "x" 1'}},
            "status": status,
        },
    )
    folder = tmp_path / "got" / "a"
    folder.mkdir(parents=True)
    (folder / f".m.nii.{put.digest[:16]}.part").write_bytes(data[:MEGABYTE])
    done = call("results", "one", "--download", "got")
    assert done.status == 0, done.err
    assert f"wrote {folder / 'm.nii'}" in done.err
    assert [each.name for each in folder.iterdir()] == ["m.nii"]
    assert (folder / "m.nii").read_bytes() == data
    assert "m.nii is there already" in call("results", "one", "--download", "got").err
    (folder / "m.nii").unlink()
    (folder / f".m.nii.{put.digest[:16]}.part").write_bytes(b"other bytes")
    bad = call("results", "one", "--download", "got")
    assert (bad.status, "missing or corrupt" in bad.err) == (1, True)
    assert not list(folder.iterdir()), "what was wrong is not gone on with"
    assert call("report", "one", "-o", "page.html").status == 0
    assert (tmp_path / "page.html").read_bytes() == b"<p>"


def test_keys_that_end_meanwhile_are_replaced(
    kube: ForwardingKube, call: Callable[..., Done], s3_server: S3Server, store: str, tmp_path: Path
) -> None:
    """A transfer may last longer than a session; keys that stay refused are said."""
    give_keys(kube, s3_server, store)
    (tmp_path / "large.nii").write_bytes(os.urandom(33 * MEGABYTE))
    renews, ended = True, 1

    def end(method: str, target: str) -> Fault | None:
        nonlocal ended
        if "partNumber=2" not in target or not ended:
            return None
        ended -= 1
        if renews:
            give_keys(kube, s3_server, store)
        return Fault(400, "ExpiredToken")

    with proxied(s3_server, end) as proxy:
        kube.ports["store-0", 8333] = proxy.port
        done = call("upload", "large.nii")
        assert done.status == 0, done.err
        assert proxy.count("PUT", "partNumber") == 4, "only the refused part is sent again"
        renews, ended = False, 10
        refused = call("upload", "large.nii", "--to", "again")
        assert (refused.status, "the store refuses to write" in refused.err) == (1, True)
        assert ended == 9


def test_what_is_missing_is_said_with_the_remedy(
    kube: ForwardingKube, call: Callable[..., Done], s3_server: S3Server, store: str, tmp_path: Path
) -> None:
    """Of RBAC, of keys that ended, and of a port that may not be forwarded."""
    (tmp_path / "a.nii").write_bytes(b"a")
    kube.forbidden = {"secrets"}
    done = call("upload", "a.nii")
    assert "RBAC does not let you read Secret voxk8s-store in namespace lab" in done.err
    assert "ask for the verb get on it (the role edit has it)" in done.err
    kube.forbidden = {"services", "portforward"}
    give_keys(kube, s3_server, store)
    done = call("upload", "a.nii")
    assert "RBAC does not let you forward its port: ask for the verbs get and create" in done.err
    assert done.status == 1
    kube.forbidden = {"services"}
    assert call("upload", "a.nii").status == 0, "a right on the pod alone is enough"
    assert call("upload", "b.nii").err == "voxk8s: b.nii: no such file or folder\n"


def test_keys_in_the_environment_are_used_without_a_secret(
    kube: ForwardingKube, call: Callable[..., Done], s3_server: S3Server, store: str, tmp_path: Path
) -> None:
    """Where runs have an identity, people bring keys of their own, and say where to."""
    (tmp_path / "a.nii").write_bytes(b"a")
    done = call("upload", "a.nii", "--to", f"{store}/mine", **s3_server.env)
    assert (done.status, done.out) == (0, f"{store}/mine/a.nii\n")
    nowhere = call("upload", "a.nii", **s3_server.env)
    assert "expected --to s3://bucket/prefix, or the store's URL in VOXK8S_STORE" in nowhere.err
    assert not [each for each in kube.asked if "POST" in each], "nobody is asked for keys"


def test_a_program_brings_its_inputs(
    kube: ForwardingKube, call: Callable[..., Done], s3_server: S3Server, store: str, tmp_path: Path
) -> None:
    """Without --upload files of this machine are refused; with it the program reads the copies."""
    give_keys(kube, s3_server, store)
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "a.json").write_text("[1]")
    (tmp_path / "p.imgql").write_text(
        'load a = "$A"\nload b = "./a.json"\nload c = "copy/a.json"\nprint "a" [a, b, c]\n'
    )
    words = ("submit", "p.imgql", "--param", "A=a.json")
    refused = call(*words)
    assert (refused.status, refused.out) == (2, "")
    assert "p.imgql: the cluster cannot read files of this machine: a.json" in refused.err
    assert "With --upload they are brought to its store" in refused.err
    sent = call(*words, "--upload")
    assert sent.status == 0, sent.err
    (made,) = [each for path, each in kube.objects.items() if "workplans" in path]
    (url,) = set(re.findall(r's3://[^"]+', json.dumps(made["spec"]["source"])))
    assert url.startswith(f"{store}/domains/lab/uploads/")
    assert url.endswith("/a.json")
    bucket, _, key = url.removeprefix("s3://").partition("/")
    assert s3_server.client().get_object(Bucket=bucket, Key=key)["Body"].read() == b"[1]"

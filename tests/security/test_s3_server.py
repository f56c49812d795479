"""Strangers and runs attack the chart's S3 server, started as the chart starts it.

No network policy helps here: every port is tried from an address that is not loopback.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from tests.support import s3
from tests.support.s3 import ROLE, S3Server
from tests.tools.helm import one, render

OWN, TRUSTED, FOREIGN = "p/domains/own/x", "p/domains/trusted/x", "p/domains/foreign/x"
BODY = b"a result"
POLICY: list[dict[str, Any]] = [
    {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        "Resource": ["arn:aws:s3:::voxk8s/p/domains/own/*"],
    },
    {
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": ["arn:aws:s3:::voxk8s/p/domains/trusted/*"],
    },
    {
        "Effect": "Allow",
        "Action": ["s3:ListBucket"],
        "Resource": ["arn:aws:s3:::voxk8s"],
        "Condition": {"StringLike": {"s3:prefix": ["p/domains/own/*"]}},
    },
]
"""What a run of one domain may do."""


@dataclass(frozen=True)
class Pod:
    """The server of the chart, in a folder of this machine instead of a pod."""

    folder: Path
    server: S3Server
    ports: dict[str, int]
    words: list[str]

    @property
    def data(self) -> Path:
        """What the chart mounts at /data."""
        return self.folder / "data"

    @property
    def scratch(self) -> Path:
        """What the chart mounts at /tmp."""
        return self.folder / "scratch"

    @contextmanager
    def running(self, path: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """Run the server; `path`: folders where programs are looked for first."""
        program = self.folder / "s3_server.py"
        (self.scratch / "ready").unlink(missing_ok=True)
        env = dict(self.server.env)
        if path:
            env["PATH"] = os.pathsep.join([path, str(Path(sys.executable).parent), os.defpath])
        process = s3.launch(self.words, env, self.server.log, program)
        try:
            yield process
        finally:
            s3.end(process)

    def refusal(self, path: str = "") -> str:
        """Start the server, which has to end by itself; return its error."""
        with self.running(path) as process:
            assert process.wait(60) != 0
        assert not (self.scratch / "ready").exists()
        lines = self.server.log.read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if line.startswith("error: "))


def pod(folder: Path) -> Pod:
    """Read from the rendered chart how its container starts; only folders and ports differ."""
    manifests = render(s3={"enabled": True}, networkPolicy={"enabled": False})
    workload = one(manifests, "StatefulSet", "voxk8s-s3")["spec"]["template"]["spec"]
    container = workload["containers"][0]
    interpreter, program = container["command"]
    assert (interpreter, Path(program).parent) == ("python3", Path("/chart"))
    files = one(manifests, "ConfigMap", "voxk8s-s3")["data"]
    (folder / "s3_server.py").write_text(files[Path(program).name])
    for name in ("data", "scratch"):
        (folder / name).mkdir()
    ports = s3.free_ports()
    numbers = {name.strip("-"): int(port) for name, _, port in (w.partition("=") for w in ports)}
    server = S3Server(
        f"http://127.0.0.1:{numbers['port']}", "operator-key", "its-secret", "voxk8s",
        folder / "log",
    )  # fmt: skip
    moved = [f"--data={folder / 'data'}", f"--scratch={folder / 'scratch'}", *ports]
    return Pod(folder, server, numbers, [*container["args"], *moved])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    """Run the server, with one object in each of three domains."""
    found = pod(tmp_path_factory.mktemp("pod"))
    with found.running() as process:
        s3.wait_until_ready(found.scratch, process, found.server.log)
        for key in (OWN, TRUSTED, FOREIGN):
            put_when_writable(found.server, key)
        yield found
    shutil.rmtree(found.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def session(running: Pod) -> S3Server:
    """Give the server as a run of one domain sees it."""
    return running.server.session(*POLICY)


def put_when_writable(server: S3Server, key: str) -> None:
    """Write an object, as soon as there is a volume to write to."""
    deadline = time.monotonic() + 60
    while True:
        try:
            server.client().put_object(Bucket=server.bucket, Key=key, Body=BODY)
        except ClientError:
            assert time.monotonic() < deadline
        else:
            return


def address() -> str:
    """Return an address of this machine that strangers see; none is contacted."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"  # no network: not what the parts are bound to, either
        return str(probe.getsockname()[0])


def listening(folder: Path) -> set[int]:
    """Return the TCP ports of the server that keeps its data in a folder."""
    mine = [
        process
        for process in psutil.process_iter(["cmdline"])
        if f"-dir={folder}" in (process.info["cmdline"] or [])
    ]
    assert len(mine) == 1
    connections = mine[0].net_connections(kind="tcp")
    return {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}


def reachable(host: str, port: int) -> bool:
    """Whether a connection is accepted."""
    try:
        with socket.create_connection((host, port), 5):
            return True
    except OSError:
        return False


def http_status(host: str, port: int, method: str, path: str) -> int:
    """Send a request without keys."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request(method, path, body=b"forged" if method == "PUT" else None)
        return connection.getresponse().status
    finally:
        connection.close()


def resigned(pod: Pod, token: str, *, key: bytes | None = None, **claims: Any) -> str:
    """Change claims of a session's token and sign it, with the server's key or with another."""
    head, body, _ = token.split(".")
    changed = {**json.loads(base64.urlsafe_b64decode(body + "==")), **claims}
    plain = json.dumps(changed).encode()
    text = f"{head}.{base64.urlsafe_b64encode(plain).decode().rstrip('=')}"
    secret = key or base64.b64decode((pod.data / "sts-signing-key").read_text())
    signature = hmac.digest(secret, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def refused(call: Callable[[], Any]) -> str:
    """Call what has to be refused; return the code of the error."""
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 403}
    return str(caught.value.response["Error"]["Code"])


def test_only_s3_is_reachable(running: Pod) -> None:
    """A stranger reaches S3 and, of all other ports, only the gRPC that asks for a certificate."""
    ports = listening(running.data)
    assert len(ports) == 8
    public = running.ports["port"]
    assert {port for port in ports if reachable(address(), port)} == {public, public + 10_000}


@pytest.mark.parametrize("part", ["master-port", "volume-port", "filer-port"])
@pytest.mark.parametrize("distance", [0, 10_000], ids=["http", "grpc"])
def test_a_part_is_used_without_a_key(running: Pod, part: str, distance: int) -> None:
    """Master, volume server and filer, which ask for no key, answer on loopback only."""
    port = running.ports[part] + distance
    assert reachable("127.0.0.1", port)
    assert not reachable(address(), port)


@pytest.mark.parametrize(
    ("part", "method", "path"),
    [
        ("filer-port", "GET", "/buckets/voxk8s/"),
        ("filer-port", "PUT", f"/buckets/voxk8s/{FOREIGN}"),
        ("filer-port", "DELETE", f"/buckets/voxk8s/{FOREIGN}"),
        ("master-port", "GET", "/dir/status"),
        ("master-port", "GET", "/col/delete?collection=voxk8s"),
        ("volume-port", "GET", "/status"),
    ],
)
def test_a_stranger_lists_writes_and_deletes(
    running: Pod, part: str, method: str, path: str
) -> None:
    """Requests without a key, to which SeaweedFS answers everybody by default, find no port."""
    if method == "GET" and "delete" not in path:
        assert http_status("127.0.0.1", running.ports[part], method, path) == 200
    with pytest.raises(ConnectionRefusedError):
        http_status(address(), running.ports[part], method, path)
    found = running.server.client().get_object(Bucket="voxk8s", Key=FOREIGN)
    assert found["Body"].read() == BODY


def test_s3_without_keys(running: Pod) -> None:
    """S3 requests without a signature are refused."""
    for method, path in [("GET", ""), ("GET", FOREIGN), ("PUT", FOREIGN), ("DELETE", FOREIGN)]:
        port = running.ports["port"]
        assert http_status(address(), port, method, f"/voxk8s/{path}") == 403


def test_a_stranger_sets_identities_by_grpc(running: Pod, tmp_path: Path) -> None:
    """The S3 server's gRPC answers neither plain text nor a certificate of one's own making."""
    where = (address(), running.ports["port"] + 10_000)
    hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
    with socket.create_connection(where, 5) as plain:
        plain.sendall(hello)
        assert settings_frame(plain.recv(9)) is False
    files = tmp_path / "own.crt", tmp_path / "own.key"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=s3 -out"
    made = ["openssl", *words.split(), str(files[0]), "-keyout", str(files[1])]
    subprocess.run(made, check=True, capture_output=True)
    assert not greeted(where, hello, None)
    assert not greeted(where, hello, files)
    # The server's own key is the only one, and lies where nobody else reads: with it all works.
    assert greeted(where, hello, (running.scratch / "grpc.crt", running.scratch / "grpc.key"))


def settings_frame(answer: bytes) -> bool:
    """Whether an HTTP/2 server greets."""
    return answer[3:4] == b"\4"


def greeted(where: tuple[str, int], hello: bytes, files: tuple[Path, Path] | None) -> bool:
    """Whether the gRPC server greets a client with this certificate and key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if files is not None:
        context.load_cert_chain(*files)
    try:
        with (
            socket.create_connection(where, 5) as plain,
            context.wrap_socket(plain) as connection,
        ):
            connection.sendall(hello)
            return settings_frame(connection.recv(9))
    except (ssl.SSLError, ConnectionError):
        return False


def test_a_session_does_its_work(session: S3Server) -> None:
    """A session reads, writes, lists and deletes its own, and reads what it trusts."""
    client = session.client()
    client.put_object(Bucket="voxk8s", Key=f"{OWN}-new", Body=BODY, IfNoneMatch="*")
    refused_again = pytest.raises(ClientError, match="PreconditionFailed")
    with refused_again:
        client.put_object(Bucket="voxk8s", Key=f"{OWN}-new", Body=BODY, IfNoneMatch="*")
    upload = client.create_multipart_upload(Bucket="voxk8s", Key=f"{OWN}-parts")["UploadId"]
    part = client.upload_part(
        Bucket="voxk8s", Key=f"{OWN}-parts", UploadId=upload, PartNumber=1, Body=BODY
    )
    client.complete_multipart_upload(
        Bucket="voxk8s", Key=f"{OWN}-parts", UploadId=upload,
        MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]},
    )  # fmt: skip
    listed = client.list_objects_v2(Bucket="voxk8s", Prefix="p/domains/own/")
    assert {each["Key"] for each in listed["Contents"]} == {OWN, f"{OWN}-new", f"{OWN}-parts"}
    for key in (f"{OWN}-new", f"{OWN}-parts"):
        client.delete_object(Bucket="voxk8s", Key=key)
    assert client.get_object(Bucket="voxk8s", Key=TRUSTED)["Body"].read() == BODY


ATTACKS: dict[str, Callable[[Any], Any]] = {
    "read": lambda client: client.get_object(Bucket="voxk8s", Key=FOREIGN),
    "look": lambda client: client.head_object(Bucket="voxk8s", Key=FOREIGN),
    "write": lambda client: client.put_object(Bucket="voxk8s", Key=FOREIGN, Body=b"forged"),
    "write what is trusted": lambda client: client.put_object(
        Bucket="voxk8s", Key=TRUSTED, Body=b"forged"
    ),
    "delete": lambda client: client.delete_object(Bucket="voxk8s", Key=FOREIGN),
    "delete what is trusted": lambda client: client.delete_object(Bucket="voxk8s", Key=TRUSTED),
    "dots": lambda client: client.put_object(
        Bucket="voxk8s", Key="p/domains/own/../foreign/x", Body=b"forged"
    ),
    "copy in": lambda client: client.copy_object(
        Bucket="voxk8s", Key=f"{OWN}-stolen", CopySource=f"voxk8s/{FOREIGN}"
    ),
    "copy out": lambda client: client.copy_object(
        Bucket="voxk8s", Key=FOREIGN, CopySource=f"voxk8s/{OWN}"
    ),
    "multipart": lambda client: client.create_multipart_upload(Bucket="voxk8s", Key=FOREIGN),
    "list": lambda client: client.list_objects_v2(Bucket="voxk8s", Prefix="p/domains/foreign/"),
    "list all": lambda client: client.list_objects_v2(Bucket="voxk8s"),
    "list old": lambda client: client.list_objects(Bucket="voxk8s"),
    "list versions": lambda client: client.list_object_versions(Bucket="voxk8s"),
    "list uploads": lambda client: client.list_multipart_uploads(Bucket="voxk8s"),
    "bucket policy": lambda client: client.put_bucket_policy(
        Bucket="voxk8s",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": "arn:aws:s3:::voxk8s/*",
                    }
                ],
            }
        ),
    ),
    "object rights": lambda client: client.put_object_acl(
        Bucket="voxk8s", Key=FOREIGN, ACL="public-read-write"
    ),
    "bucket rights": lambda client: client.put_bucket_acl(Bucket="voxk8s", ACL="public-read-write"),
    "lifecycle": lambda client: client.put_bucket_lifecycle_configuration(
        Bucket="voxk8s",
        LifecycleConfiguration={
            "Rules": [{"ID": "all", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}]
        },
    ),
    "versioning": lambda client: client.put_bucket_versioning(
        Bucket="voxk8s", VersioningConfiguration={"Status": "Enabled"}
    ),
    "new bucket": lambda client: client.create_bucket(Bucket="other"),
    "bucket's end": lambda client: client.delete_bucket(Bucket="voxk8s"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_session_reaches_beyond_its_policy(
    running: Pod, session: S3Server, attack: Callable[[Any], Any]
) -> None:
    """What the session policy does not allow is refused, and changes nothing."""
    refused(lambda: attack(session.client()))
    for key in (OWN, TRUSTED, FOREIGN):
        assert running.server.client().get_object(Bucket="voxk8s", Key=key)["Body"].read() == BODY


def test_a_session_deletes_many(running: Pod, session: S3Server) -> None:
    """A request that deletes several objects deletes none that the policy does not name."""
    names = [{"Key": FOREIGN}, {"Key": TRUSTED}]
    answer = session.client().delete_objects(Bucket="voxk8s", Delete={"Objects": names})
    assert [each["Code"] for each in answer["Errors"]] == ["AccessDenied", "AccessDenied"]
    for key in (TRUSTED, FOREIGN):
        running.server.client().head_object(Bucket="voxk8s", Key=key)


def test_a_session_sees_no_buckets(session: S3Server) -> None:
    """The list of buckets is empty for a session."""
    assert session.client().list_buckets()["Buckets"] == []


def test_a_session_assumes_the_role_again(session: S3Server) -> None:
    """A session gets no second session, with or without a policy."""
    client = session.client("sts")
    assert refused(lambda: session.session(*POLICY)) == "AccessDenied"
    plain = refused(lambda: client.assume_role(RoleArn=ROLE, RoleSessionName="again"))
    assert plain == "AccessDenied"
    assert refused(lambda: client.get_federation_token(Name="again")) == "AccessDenied"


@pytest.mark.parametrize("who", ["operator", "session"])
def test_users_are_made(running: Pod, session: S3Server, who: str) -> None:
    """Nobody makes users or keys, or widens rights, through the IAM interface."""
    client = {"operator": running.server, "session": session}[who].client("iam")
    document = json.dumps({"Statement": POLICY})
    calls: list[tuple[Callable[..., Any], dict[str, str]]] = [
        (client.create_user, {"UserName": "eve"}),
        (client.create_access_key, {"UserName": "operator"}),
        (client.create_role, {"RoleName": "eve", "AssumeRolePolicyDocument": "{}"}),
        (
            client.put_user_policy,
            {"UserName": "operator", "PolicyName": "all", "PolicyDocument": document},
        ),
    ]
    for call, words in calls:
        with pytest.raises(ClientError):
            call(**words)
    users = running.server.client("iam").list_users()["Users"]
    assert [user["UserName"] for user in users] == ["operator"]


def test_a_session_after_its_end(running: Pod, session: S3Server) -> None:
    """The end of a session is part of what the server signed: then its keys open nothing."""
    assert session.token is not None
    now = int(time.time())
    later = replace(session, token=resigned(running, session.token, exp=now + 60))
    later.client().head_object(Bucket="voxk8s", Key=OWN)
    ended = replace(session, token=resigned(running, session.token, exp=now - 1))
    refused(lambda: ended.client().get_object(Bucket="voxk8s", Key=OWN))


def test_a_session_writes_its_own_policy(running: Pod, session: S3Server) -> None:
    """A token with another policy is refused unless the server's key signed it."""
    assert session.token is not None
    wide = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
    for key in (b"\0" * 32, b"guess"):
        forged = replace(session, token=resigned(running, session.token, key=key, spol=policy))
        refused(partial(forged.client().get_object, Bucket="voxk8s", Key=FOREIGN))
    none = replace(session, secret="wrong")
    refused(lambda: none.client().get_object(Bucket="voxk8s", Key=OWN))


def test_secrets_are_readable_by_the_server_only(running: Pod) -> None:
    """Files with keys are for the server's user only, and no key stands in its log."""
    secret = [running.data / "sts-signing-key"]
    secret += [running.scratch / name for name in ("identities.json", "iam.json", "grpc.key")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in secret} == {0o600}
    assert "its-secret" not in running.server.log.read_text(errors="replace")


def test_a_session_survives_a_restart(tmp_path: Path) -> None:
    """Data and sessions outlive the process, also when it was killed."""
    found = pod(tmp_path)
    with found.running() as process:
        s3.wait_until_ready(found.scratch, process, found.server.log)
        put_when_writable(found.server, OWN)
        session = found.server.session(*POLICY)
    with found.running() as process:
        s3.wait_until_ready(found.scratch, process, found.server.log)
        assert session.client().get_object(Bucket="voxk8s", Key=OWN)["Body"].read() == BODY
        refused(lambda: session.client().get_object(Bucket="voxk8s", Key=FOREIGN))


WRONG = {
    "identities are skipped": ("s,-s3.config=[^ ]*,,", "", "does not know its own keys"),
    "roles are skipped": ("s,-s3.iam.config=[^ ]*,,", "", "may not assume the role"),
    "roles do not parse": ("", "printf '{' > scratch/iam.json", "weed ended|may not assume"),
    "sessions may assume the role": (
        "",
        "sed -i 's,arn:aws:iam::[^\"]*user/operator,*,' scratch/iam.json",
        "assuming the role in a session gives 200",
    ),
    "gRPC is open": ("", "unset WEED_GRPC_CA WEED_GRPC_S3_CERT", "asks for no certificate"),
}


@pytest.mark.parametrize(("argument", "before", "error"), WRONG.values(), ids=WRONG)
def test_a_server_with_too_many_rights_is_ended(
    tmp_path: Path, argument: str, before: str, error: str
) -> None:
    """SeaweedFS skips what it cannot read; the start finds out and ends the server."""
    found = pod(tmp_path)
    weed = tmp_path / "bin" / "weed"
    weed.parent.mkdir()
    real = Path(sys.executable).with_name("weed")
    weed.write_text(
        f"#!/bin/sh\ncd {tmp_path}\n{before or ':'}\n"
        f"exec {real} $(echo \"$*\" | sed '{argument or 's/^//'}')\n"
    )
    weed.chmod(0o755)
    said = found.refusal(str(weed.parent))
    assert any(part in said for part in error.split("|")), said


def test_a_damaged_signing_key(tmp_path: Path) -> None:
    """A key that signs nothing safely is named, and what to do."""
    found = pod(tmp_path)
    (found.data / "sts-signing-key").write_text("short")
    assert "sts-signing-key is damaged: delete it" in found.refusal()


def test_no_keys(tmp_path: Path) -> None:
    """Without keys the server does not start: SeaweedFS would give everybody all rights."""
    found = pod(tmp_path)
    nobody = replace(found, server=replace(found.server, key="", secret=""))
    said = nobody.refusal()
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set" in said

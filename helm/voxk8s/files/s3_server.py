"""Start SeaweedFS as an S3 server for people who do not trust each other.

Only the S3 port is reachable: master, volume server and filer, which ask for no key, are bound to
loopback. The gRPC port of the S3 server, which may set identities, is bound where the S3 port is
and asks for a client certificate that nobody has.

The key pair in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY has all rights. It may assume the role
`arn:aws:iam::role/runs` with a session policy; a session has the rights of its policy and may not
assume the role again. The key that signs sessions stands beside the data, so that they survive a
restart: delete `sts-signing-key` and restart the server to end all of them.

SeaweedFS skips a configuration that it cannot read, with a warning. So the server is tried before
the ready file appears, and ended when it gives more rights than it should.

Needs `weed` and `openssl`, and nothing but the standard library of Python 3.11.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import datetime
import hashlib
import hmac
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import xml.etree.ElementTree as ET  # reads what our own server answers
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROLE = "arn:aws:iam::role/runs"
OPERATOR = "operator"
REGION = "us-east-1"
GRPC = 10_000  # the distance at which SeaweedFS looks for gRPC ports
START_SECONDS = 110.0


class Refused(Exception):
    """The server cannot be started, or gives more rights than it should."""


class Keys(NamedTuple):
    """Keys of S3; `token` only for a session."""

    access: str
    secret: str
    token: str = ""


def main() -> int:
    """Run the server until it ends; return its exit code."""
    options = arguments()
    ready = Path(options.scratch, "ready")
    ready.unlink(missing_ok=True)
    try:
        keys = operator_keys()
        configure(Path(options.scratch), Path(options.data), keys)
        server = subprocess.Popen(command(options), env=environment(Path(options.scratch)))
    except (Refused, OSError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.terminate())
    try:
        wait_until_ready(server, options.port, keys, options.bucket)
        check(options.port, keys, options.bucket)
    except (Refused, OSError, http.client.HTTPException) as error:
        if server.poll() is None:
            server.kill()
        print(f"error: {error}", file=sys.stderr, flush=True)
        return server.wait() or 1
    ready.touch()
    return server.wait()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Start SeaweedFS as an S3 server.")
    parser.add_argument("--bucket", required=True, help="is created if it does not exist")
    parser.add_argument("--data", required=True, help="folder of the data")
    parser.add_argument("--scratch", required=True, help="folder of what each start makes anew")
    parser.add_argument("--bind", default="0.0.0.0", help="address of the S3 port")  # noqa: S104
    parser.add_argument("--port", type=int, default=8333)
    parser.add_argument("--master-port", type=int, default=9333)
    parser.add_argument("--volume-port", type=int, default=9340)
    parser.add_argument("--filer-port", type=int, default=8888)
    parser.add_argument("--volume-mb", type=int, default=1024, help="size of one volume")
    return parser.parse_args()


def operator_keys() -> Keys:
    """Read the operator's keys from the environment."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise Refused(f"{' and '.join(missing)} are not set: without keys everybody has all rights")
    return Keys(*(os.environ[name] for name in names))


def command(options: argparse.Namespace) -> list[str]:
    """Return the command line of SeaweedFS."""
    scratch = Path(options.scratch)
    return [
        "weed",
        "server",
        f"-dir={options.data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-master.port={options.master_port}",
        f"-master.volumeSizeLimitMB={options.volume_mb}",
        "-master.telemetry=false",
        f"-volume.port={options.volume_port}",
        "-volume.max=0",
        "-volume.preStopSeconds=0",
        "-filer",
        f"-filer.port={options.filer_port}",
        f"-filer.localSocket={scratch / 'filer.sock'}",
        "-s3",
        f"-s3.ip.bind={options.bind}",
        f"-s3.port={options.port}",
        f"-s3.port.grpc={options.port + GRPC}",
        f"-s3.localSocket={scratch / 's3.sock'}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={scratch / 'identities.json'}",
        f"-s3.iam.config={scratch / 'iam.json'}",
        # AssumeRole is part of it; users and keys cannot be changed through it.
        "-s3.iam=true",
        "-s3.iam.readOnly=true",
    ]


def environment(scratch: Path) -> dict[str, str]:
    """Return the environment of SeaweedFS: no keys, and a certificate for gRPC of the S3 server.

    Its own certificate is the only authority, so a client would need the server's private key.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    certificate, key = str(scratch / "grpc.crt"), str(scratch / "grpc.key")
    return {
        **kept,
        "HOME": str(scratch),
        "WEED_GRPC_CA": certificate,
        "WEED_GRPC_S3_CERT": certificate,
        "WEED_GRPC_S3_KEY": key,
    }


def configure(scratch: Path, data: Path, keys: Keys) -> None:
    """Write the configuration, the certificate and, once, the key that signs sessions."""
    identity = {
        "name": OPERATOR,
        "credentials": [{"accessKey": keys.access, "secretKey": keys.secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    everything = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
    # Not "*", which also admits sessions: one could assume the role again, without its policy.
    operator = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::000000000000:user/{OPERATOR}"},
        "Action": ["sts:AssumeRole"],
    }
    iam = {
        "sts": {
            "tokenDuration": "1h",
            "maxSessionLength": "12h",
            "issuer": "voxk8s",
            "signingKey": signing_key(data / "sts-signing-key"),
        },
        "policy": {"defaultEffect": "Deny", "storeType": "memory"},
        "policies": [{"name": "Runs", "document": document(everything)}],
        "roles": [
            {
                "roleName": "runs",
                "roleArn": ROLE,
                "trustPolicy": document(operator),
                "attachedPolicies": ["Runs"],
            }
        ],
    }
    write_private(scratch / "identities.json", json.dumps({"identities": [identity]}))
    write_private(scratch / "iam.json", json.dumps(iam))
    write_private(scratch / "grpc.key", "")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=s3"
    files = ["-keyout", str(scratch / "grpc.key"), "-out", str(scratch / "grpc.crt")]
    made = subprocess.run(
        ["openssl", *words.split(), *files], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise Refused(f"openssl made no certificate: {made.stderr.strip()}")


def document(*statements: Mapping[str, object]) -> dict[str, object]:
    """Return a policy of the statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def signing_key(file: Path) -> str:
    """Return the key that signs sessions, made if there is none: 32 bytes in Base64."""
    if not file.exists():
        new = file.with_name(file.name + ".new")
        write_private(new, base64.b64encode(secrets.token_bytes(32)).decode())
        new.replace(file)
    text = file.read_text().strip()
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        size = 0
    if size != 32:
        raise Refused(f"{file} is damaged: delete it; all sessions end with it")
    return text


def write_private(file: Path, text: str) -> None:
    """Write a file that only this user may read."""
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)


def wait_until_ready(server: subprocess.Popen[bytes], port: int, keys: Keys, bucket: str) -> None:
    """Wait until the server answers, and create the bucket."""
    deadline = time.monotonic() + START_SECONDS
    last: object = "no answer"
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise Refused(f"weed ended with {server.returncode}")
        try:
            status, _ = request(port, "PUT", f"/{bucket}", keys)
            if status in {200, 409}:
                return
            if status == 403:
                raise Refused("the server does not know its own keys")
            last = f"status {status}"
        except (OSError, http.client.HTTPException) as error:
            last = error
        time.sleep(0.1)
    raise Refused(f"the S3 server did not become ready: {last}")


def check(port: int, keys: Keys, bucket: str) -> None:
    """Try to get more rights than there should be; raises Refused when that succeeds."""
    inside, outside = (f"/{bucket}/voxk8s-check/{name}/none" for name in ("inside", "outside"))
    own = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{inside[1:]}"],
    }
    status, answer = assume_role(port, keys, document(own))
    if status != 200:
        raise Refused(f"the operator may not assume the role: {status} {answer[:300]!r}")
    session = session_keys(answer)
    expected = {
        "a request without keys": (403, request(port, "GET", f"/{bucket}", None)),
        "reading what the session may read": (404, request(port, "GET", inside, session)),
        "reading beyond the session policy": (403, request(port, "GET", outside, session)),
        "writing beyond the session policy": (403, request(port, "PUT", outside, session)),
        "assuming the role in a session": (403, assume_role(port, session, None)),
    }
    for what, (wanted, (given, _)) in expected.items():
        if given != wanted:
            raise Refused(f"{what} gives {given} instead of {wanted}: this server is not safe")
    if speaks_http2(port + GRPC):
        raise Refused(f"port {port + GRPC} (gRPC) asks for no certificate")


def speaks_http2(port: int) -> bool:
    """Whether a gRPC port answers without TLS."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        try:
            return connection.recv(9)[3:4] == b"\4"  # SETTINGS, the first frame of a server
        except ConnectionError:
            return False


def assume_role(port: int, keys: Keys, policy: dict[str, object] | None) -> tuple[int, bytes]:
    """Ask for a session of 15 minutes."""
    form = {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "check",
        "DurationSeconds": "900",
        **({"Policy": json.dumps(policy)} if policy else {}),
    }
    body = urllib.parse.urlencode(form).encode()
    return request(port, "POST", "/", keys, body, service="sts")


def session_keys(answer: bytes) -> Keys:
    """Read the keys from an answer of AssumeRole."""
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    try:
        found = {each.tag.rpartition("}")[2]: each.text for each in ET.fromstring(answer).iter()}  # noqa: S314
        return Keys(*(found[name] or "" for name in names))
    except (ET.ParseError, KeyError) as error:
        raise Refused(f"AssumeRole gives no keys: {answer[:300]!r}") from error


def request(
    port: int, method: str, path: str, keys: Keys | None, body: bytes = b"", service: str = "s3"
) -> tuple[int, bytes]:
    """Send a request to the server, signed with keys (AWS Signature Version 4)."""
    host = f"127.0.0.1:{port}"
    now = datetime.datetime.now(datetime.UTC)
    digest = hashlib.sha256(body).hexdigest()
    headers = {
        "host": host,
        "x-amz-content-sha256": digest,
        "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
    }
    if body:
        headers["content-type"] = "application/x-www-form-urlencoded"
    if keys is not None:
        if keys.token:
            headers["x-amz-security-token"] = keys.token
        headers["authorization"] = authorization(method, path, headers, digest, keys, service)
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def authorization(
    method: str, path: str, headers: dict[str, str], digest: str, keys: Keys, service: str
) -> str:
    """Return the header that signs a request with these headers and no query."""
    names = sorted(headers)
    lines = [f"{name}:{headers[name]}" for name in names]
    canonical = "\n".join([method, path, "", *lines, "", ";".join(names), digest])
    moment = headers["x-amz-date"]
    scope = f"{moment[:8]}/{REGION}/{service}/aws4_request"
    key = f"AWS4{keys.secret}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}"
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    signed = f"Credential={keys.access}/{scope},SignedHeaders={';'.join(names)}"
    return f"AWS4-HMAC-SHA256 {signed},Signature={signature}"


if __name__ == "__main__":
    sys.exit(main())

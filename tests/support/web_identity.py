"""An STS that exchanges projected tokens (AssumeRoleWithWebIdentity), before a real S3 server.

What a cloud does for a service account with an identity: the token in a file, which Kubernetes
replaces before it ends, is given for keys that live shortly. The keys are those of real sessions of
the S3 server; this server passes requests on to it, and refuses keys that have been revoked. Tokens
are sent by HTTPS only.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.support import s3

ROLE: Final = "arn:aws:iam::123456789012:role/data"
_SECONDS: Final = 60
"""For which keys are said to live: so few that clients fetch others before each request."""
_KEY: Final = re.compile(r"Credential=([^/]+)/")
_ANSWER: Final = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{key}</AccessKeyId>
<SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>
<Expiration>{end}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""


class WebIdentity(ThreadingHTTPServer):
    """The server; `tokens` are those that it was given, `keys` those that it has answered."""

    daemon_threads = True

    def __init__(self, server: s3.S3Server, token: Path) -> None:
        """Accept the token that a file has at that time; put a certificate beside it."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.s3, self.token = server, token
        self.sts = server.client("sts")
        self.certificate = token.with_name("sts.pem")
        key = token.with_name("sts.key")
        words = "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 1"
        extensions = ("subjectAltName=IP:127.0.0.1", "basicConstraints=critical,CA:FALSE")
        subprocess.run(
            [*words.split(), "-subj", "/CN=sts", "-keyout", key, "-out", self.certificate,
             *(word for each in extensions for word in ("-addext", each))],
            check=True, capture_output=True,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.tokens: list[str] = []
        self.keys: list[str] = []
        self.revoked: set[str] = set()

    @property
    def url(self) -> str:
        """Address of both STS and S3."""
        return f"https://127.0.0.1:{self.server_port}"

    @property
    def env(self) -> dict[str, str]:
        """What a webhook such as that of EKS gives the pods of an account, and this address."""
        return {
            "AWS_ROLE_ARN": ROLE,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.token),
            "AWS_ENDPOINT_URL_STS": self.url,
            "AWS_CA_BUNDLE": str(self.certificate),
            "SSL_CERT_FILE": str(self.certificate),
        }

    def expire(self) -> None:
        """Revoke all keys, and replace the token as Kubernetes does."""
        self.revoked.update(self.keys)
        self.token.write_text(f"token-{len(self.keys)}")


class _Handler(BaseHTTPRequestHandler):
    server: WebIdentity
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "Authorization" not in self.headers:
            self._exchange(body)
        else:
            self._pass_on(body)

    do_GET = _serve  # noqa: N815 - the name of the library
    do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815

    def _exchange(self, body: bytes) -> None:
        asked = parse_qs(urlsplit(self.path).query) | parse_qs(body.decode())
        token = asked["WebIdentityToken"][0]
        self.server.tokens.append(token)
        right = token == self.server.token.read_text() and asked["RoleArn"] == [ROLE]
        if asked["Action"] != ["AssumeRoleWithWebIdentity"] or not right:
            self._refuse("InvalidIdentityToken")
            return
        everything = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
        made = self.server.sts.assume_role(
            RoleArn=s3.ROLE,
            RoleSessionName="pod",
            Policy=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
        )["Credentials"]
        self.server.keys.append(made["AccessKeyId"])
        end = datetime.now(UTC) + timedelta(seconds=_SECONDS)
        text = _ANSWER.format(
            key=made["AccessKeyId"],
            secret=made["SecretAccessKey"],
            token=made["SessionToken"],
            end=end.strftime("%FT%TZ"),
        )
        self._answer(200, {"Content-Type": "text/xml"}, text.encode())

    def _pass_on(self, body: bytes) -> None:
        found = _KEY.search(self.headers["Authorization"])
        if found is None or found[1] in self.server.revoked:
            self._refuse("ExpiredToken")
            return
        upstream = http.client.HTTPConnection(urlsplit(self.server.s3.endpoint).netloc)
        # The address of this server is among what was signed.
        headers = {name: text for name, text in self.headers.items() if name.lower() != "expect"}
        upstream.request(self.command, self.path, body, headers)
        response = upstream.getresponse()
        self._answer(response.status, dict(response.headers.items()), response.read())
        upstream.close()

    def _refuse(self, code: str) -> None:
        text = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
        self._answer(403, {"Content-Type": "text/xml"}, text.encode())

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else str(len(body))
        if status != 204:
            self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@contextmanager
def serve(server: s3.S3Server, token: Path) -> Iterator[WebIdentity]:
    """Run the server until the block ends."""
    with WebIdentity(server, token) as identity:
        thread = threading.Thread(target=identity.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield identity
        finally:
            identity.shutdown()
            thread.join()

"""A plan in a cluster cannot make its pods read what only they can reach."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from voxk8s.cluster.run_inputs import RunInputs, input_env
from voxk8s.errors import InputNotAllowed, InputUnavailable
from voxk8s.inputs.addresses import AddressRules
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input, stat

IN_CLUSTER = InputOptions.from_env({"VOXK8S_LOCAL_INPUTS": "false"})
SECRET = b'{"token": "hidden"}'


@contextmanager
def _server(redirect: str = "") -> Iterator[tuple[str, list[str]]]:
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with a document, or a redirect."""
            seen.append(self.path)
            if redirect and self.path == "/start.json":
                self.send_response(302)
                self.send_header("Location", redirect)
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(SECRET)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(SECRET)

        do_HEAD = do_GET  # noqa: N815 named by the standard library

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("act", [stat, pin_input])
def test_loopback(act: Callable[[str, InputOptions], object]) -> None:
    """What listens in the pod itself is not asked."""
    with _server() as (url, seen):
        with pytest.raises(InputNotAllowed, match="public addresses"):
            act(f"{url}/a.json", IN_CLUSTER)
        assert not seen


@pytest.mark.parametrize("host", ["localhost", "[::ffff:127.0.0.1]"])
def test_other_names_of_an_address(host: str) -> None:
    """It is the address that counts, however it is written."""
    with _server() as (url, seen):
        port = url.rpartition(":")[2]
        with pytest.raises(InputNotAllowed, match="public addresses"):
            pin_input(f"http://{host}:{port}/a.json", IN_CLUSTER)
        assert not seen


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1"])
def test_numbers_that_are_no_address(host: str) -> None:
    """What only some programs take for an address is no valid URL, or is looked up and checked."""
    with _server() as (url, seen):
        port = url.rpartition(":")[2]
        with pytest.raises((InputNotAllowed, InputUnavailable)):
            pin_input(f"http://{host}:{port}/a.json", IN_CLUSTER)
        assert not seen


def test_a_name_that_changes_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once for a connection, and the address found there is checked."""
    real, asked = socket.getaddrinfo, []

    def look_up(host: object, *args: object, **named: object) -> object:
        asked.append(host)
        address = "127.0.0.1" if host == "rebind.example" else host
        return real(address, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with _server() as (url, seen):
        port = url.rpartition(":")[2]
        with pytest.raises(InputNotAllowed, match="public addresses"):
            pin_input(f"http://rebind.example:{port}/a.json", IN_CLUSTER)
        assert "rebind.example" in asked
        assert not seen


def test_a_redirect_to_another_place() -> None:
    """An allowed server cannot pass a request on to one that is not allowed."""
    with _server() as (inside, seen), _server(redirect=f"{inside}/secret.json") as (outside, _):
        options = InputOptions(local_allowed=False, allowed_prefixes=(outside,))
        with pytest.raises(InputNotAllowed, match="redirected"):
            pin_input(f"{outside}/start.json", options)
        assert not seen


@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://169.254.169.254/latest/"])
def test_a_redirect_on_a_laptop(target: str) -> None:
    """Neither files nor metadata services are read by a redirect, wherever a program runs."""
    with _server(redirect=target) as (url, _), pytest.raises(InputNotAllowed):
        pin_input(f"{url}/start.json", InputOptions())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "::ffff:10.0.0.1",
        "2002:a00:1::",
        "64:ff9b::a00:1",
        "64:ff9b::a9fe:a9fe",
        "ff02::1",
        "100.100.100.200",
        "168.63.129.16",
        "8.8.4.4",
    ],
)
def test_addresses(address: str) -> None:
    """Private, loopback, link-local, shared, mapped and denied addresses are refused."""
    assert not AddressRules(True, ("8.8.4.0/24",)).allows(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    """The internet can be read."""
    assert AddressRules(True).allows(address)


def test_metadata_services_on_a_laptop() -> None:
    """Where private servers may be read, those that give away credentials may not."""
    rules = InputOptions().address_rules
    assert rules.allows("192.168.1.1")
    assert not rules.allows("169.254.169.254")
    assert not rules.allows("fd00:ec2::254")


def test_what_an_administrator_allows() -> None:
    """A prefix with a host is read, and nothing beside it, however it is written."""
    with _server() as (url, seen):
        env = {"VOXK8S_LOCAL_INPUTS": "false", "VOXK8S_INPUT_PREFIXES": f"{url}/open/ s3://data/"}
        options = InputOptions.from_env(env)
        good = f"{url}/open/a.json"
        assert load_input(pin_input(good, options), options) == {"token": "hidden"}
        seen.clear()
        for other in ("/secret.json", "/open/../secret.json", "/open/%2e%2e/secret.json"):
            with pytest.raises(InputNotAllowed, match="allowed prefixes"):
                pin_input(f"{url}{other}", options)
        with pytest.raises(InputNotAllowed, match="allowed prefixes"):
            pin_input("s3://other/a.nii", options)
        assert not seen


def test_an_s3_server_that_an_author_chose() -> None:
    """With an endpoint in the cluster, s3://latest/meta-data/… would be its cloud's metadata."""
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "r"}
    chosen = dict(input_env(RunInputs(), (), (), "shared", chart_server=False))
    with _server() as (url, seen):
        place = {"VOXK8S_LOCAL_INPUTS": "false", "AWS_ENDPOINT_URL_S3": url, **keys}
        with pytest.raises(InputNotAllowed, match="has no public address"):
            pin_input("s3://latest/meta-data/role.json", InputOptions.from_env(place | chosen))
        assert not seen
        allowed = input_env(RunInputs(), (), ("127.0.0.0/8",), "shared", chart_server=False)
        stat("s3://latest/meta-data/role.json", InputOptions.from_env(place | dict(allowed)))

"""Transports to the API server: by a pod's service account, or by a kubeconfig.

A kubeconfig may ask for exec plugins, OIDC, client certificates and proxies: the official client
implements these. A pod needs only an address, a CA and a token. Importing the official client there
costs every runner 0.9 s of processor time (aiohttp: 0.9 s, with the client: 1.8 s), so the
in-cluster transport does without it.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import msgspec

from voxk8s.cluster.kube_errors import KubeConfigMissing

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TOKEN_MAX_AGE_SECONDS = 60.0
_READ_BUFFER_BYTES = 2**21


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the API server; `body` is JSON data."""

    method: str
    url: str
    headers: dict[str, str]
    body: dict[str, Any] | None
    timeout: aiohttp.ClientTimeout


class Transport(Protocol):
    """Sends requests with the credentials of one configuration."""

    host: str

    async def send(self, request: Request) -> aiohttp.ClientResponse:
        """Send a request; returns the response with its body unread."""

    async def open_websocket(self, url: str, protocol: str) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket; raises WSServerHandshakeError if the server refuses."""

    async def close(self) -> None:
        """Close every connection."""


class InClusterTransport:
    """Transport of a pod, with the token of its service account."""

    def __init__(
        self,
        env: Mapping[str, str],
        connections: int,
        account: Path = SERVICE_ACCOUNT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read address, CA and token; raises KubeConfigMissing if one of them is missing."""
        host = env["KUBERNETES_SERVICE_HOST"]
        port = env.get("KUBERNETES_SERVICE_PORT") or "443"
        self.host = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self._token_file = account / "token"
        self._clock = clock
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        try:
            self._ssl = ssl.create_default_context(cafile=str(account / "ca.crt"))
            self._token = self._read_token()
        except OSError as error:
            raise KubeConfigMissing(
                f"cannot connect to the Kubernetes cluster of this pod: {error}; mount the token of"
                " its service account (automountServiceAccountToken)"
            ) from error
        self._read_at = clock()

    async def send(self, request: Request) -> aiohttp.ClientResponse:
        """Send a request with the pod's token."""
        return await self._opened().request(
            request.method,
            request.url,
            headers={**request.headers, **self._authorization()},
            data=None if request.body is None else msgspec.json.encode(request.body),
            timeout=request.timeout,
        )

    async def open_websocket(self, url: str, protocol: str) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket with the pod's token."""
        return await self._opened().ws_connect(
            url, protocols=(protocol,), headers=self._authorization()
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._connections, ssl=self._ssl, socket_factory=_socket_without_linger
            )
            self._session = aiohttp.ClientSession(
                connector=connector, read_bufsize=_READ_BUFFER_BYTES
            )
        return self._session

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._fresh_token()}"}

    def _fresh_token(self) -> str:
        if self._clock() - self._read_at >= _TOKEN_MAX_AGE_SECONDS:
            self._token = self._read_token()
            self._read_at = self._clock()
        return self._token

    def _read_token(self) -> str:
        return self._token_file.read_text(encoding="utf-8").strip()


def _socket_without_linger(address: aiohttp.AddrInfoType) -> socket.socket:
    """Return a socket whose unsent data goes when it is closed, also by the end of the process.

    Else the machine goes on sending it: a write that a network held up is done seconds later, when
    another process has long written something newer.
    """
    made = socket.socket(address[0], address[1], address[2])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return made


class KubeconfigTransport:
    """Transport that a kubeconfig describes, by the official client."""

    def __init__(self, client: Any) -> None:
        """Use an ApiClient of the official client, which has no type information."""
        self._client = client
        self.host: str = client.configuration.host

    @classmethod
    async def load(cls, path: str, context: str | None, connections: int) -> KubeconfigTransport:
        """Load a kubeconfig; raises KubeConfigMissing if it does not exist or cannot be used."""
        from kubernetes.aio import client, config

        loader: Any = config
        configuration = client.Configuration()
        if not _exists(path):
            raise KubeConfigMissing(
                f"cannot connect to a Kubernetes cluster: {path} does not exist;"
                " set KUBECONFIG to a kubeconfig file"
            )
        try:
            await loader.load_kube_config(
                config_file=path,
                context=context,
                client_configuration=configuration,
                persist_config=False,
            )
        except (config.ConfigException, OSError, ValueError) as error:
            raise KubeConfigMissing(
                f"cannot connect to a Kubernetes cluster: {error};"
                " set KUBECONFIG to a kubeconfig file"
            ) from error
        configuration.connection_pool_maxsize = connections
        return cls(client.ApiClient(configuration=configuration))

    async def send(self, request: Request) -> aiohttp.ClientResponse:
        """Send a request with the credentials of the kubeconfig, renewed if necessary."""
        method, url, headers, body = request.method, request.url, request.headers, request.body
        path = url.removeprefix(self.host).partition("?")[0]
        await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        wrapped = await self._client.rest_client.request(
            method, url, headers=headers, body=body, _request_timeout=request.timeout
        )
        response: aiohttp.ClientResponse = wrapped.response
        return response

    async def open_websocket(self, url: str, protocol: str) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket with the credentials of the kubeconfig, by its proxy if it has one.

        There must have been a request before: it opens the client's session.
        """
        headers: dict[str, str] = {}
        path = url.removeprefix(self.host).partition("?")[0]
        await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, "GET", None)
        rest = self._client.rest_client
        websocket: aiohttp.ClientWebSocketResponse = await rest.pool_manager.ws_connect(
            url,
            protocols=(protocol,),
            headers=headers,
            proxy=rest.proxy,
            proxy_headers=rest.proxy_headers,
        )
        return websocket

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()


def _exists(paths: str) -> bool:
    """Whether one of the kubeconfigs exists; the client only warns if none does."""
    return any(Path(each).expanduser().exists() for each in paths.split(os.pathsep) if each)

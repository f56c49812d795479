"""A real browser: headless Chromium, spoken to by the Chrome DevTools Protocol over a WebSocket."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.support.paths import ROOT
from tests.support.waiting import wait_for
from tests.tools.cluster import debian_packages
from tests.tools.cluster.errors import ClusterError

_PACKAGES: Final = ("chromium", "fonts-dejavu-core")
_PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
_AXE: Final = ROOT / "tests/data/vendor/axe-core-4.14.1.min.js.gz"
_AXE_SHA256: Final = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""Of axe.min.js in the npm package axe-core, before it was compressed."""
_PATIENCE: Final = 120.0
_INTERNAL: Final = ("file://", "data:", "blob:")


class Page:
    """One page of the browser; `faults` are its errors and what it asked for elsewhere."""

    def __init__(self, browser: Browser, session: str) -> None:
        """Speak to a tab that is open."""
        self._browser = browser
        self._session = session
        self.faults: list[str] = []

    def send(self, method: str, **parameters: object) -> Any:
        """Send a command and return its result."""
        return self._browser.send(method, parameters, self._session)

    def show(self, path: Path, *, width: int = 1400, dark: bool = False, height: int = 900) -> None:
        """Load a file at a width, light or dark, and wait until it is there."""
        self.adapt(width, dark=dark, height=height)
        self.send("Page.navigate", url=path.absolute().as_uri())
        self.wait("document.readyState === 'complete' && location.protocol === 'file:'")

    def adapt(self, width: int, *, dark: bool, height: int = 900) -> None:
        """Give the page another width and another scheme of colours."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def run(self, expression: str) -> Any:
        """Return the JSON value of an expression, also of a promise; fails if it throws."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        wait_for(expression, lambda: self.run(expression), _PATIENCE, pause=0.05)

    def settle(self) -> None:
        """Wait until two frames are drawn."""
        frame = "requestAnimationFrame"
        self.run(f"new Promise((go) => {frame}(() => {frame}(() => go(1))))")

    def press(self, key: str, code: int) -> None:
        """Press a key and let it go."""
        for kind in ("rawKeyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def write(self, text: str) -> None:
        """Put a text where the cursor is."""
        self.send("Input.insertText", text=text)

    def picture(self, selector: str = "", *, whole: bool = False) -> bytes:
        """Return a PNG of what is seen, of the whole page, or of the element of a selector."""
        options: dict[str, object] = {"format": "png", "captureBeyondViewport": whole}
        if selector:
            self.run(f"document.querySelector('{selector}').scrollIntoView(); null")
            self.settle()
            place = f"document.querySelector('{selector}').getBoundingClientRect()"
            box = self.run(
                f"(() => {{ const b = {place}; return "
                "{x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height} })()"
            )
            options["clip"] = {**box, "scale": 1}
        elif whole:
            size = self.send("Page.getLayoutMetrics")["cssContentSize"]
            options["clip"] = {**size, "scale": 1}
        return base64.b64decode(self.send("Page.captureScreenshot", **options)["data"])

    def violations(self) -> list[str]:
        """Return what axe-core finds fault with, one line for each rule and element."""
        if not self.run("typeof axe === 'object'"):
            self.run(f"{_axe()}; null")
        found = self.run(
            "axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)"
        )
        return [
            f"{each['id']} ({each['help']}): {node['html'][:200]}"
            for each in found
            for node in each["nodes"]
        ]

    def close(self) -> None:
        """Close the tab."""
        self._browser.forget(self._session)
        self.send("Page.close")


class Browser:
    """A running Chromium."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: aiohttp.ClientWebSocketResponse):
        """Speak on a connection that is open."""
        self._loop = loop
        self._socket = socket
        self._numbers = count(1)
        self._pages: dict[str, Page] = {}

    def open(self) -> Page:
        """Open a tab, and hear of its errors and requests."""
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, session["sessionId"])
        self._pages[session["sessionId"]] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{domain}.enable")
        return page

    def forget(self, session: str) -> None:
        """Hear no more of a page."""
        self._pages.pop(session, None)

    def send(self, method: str, parameters: Mapping[str, object], session: str = "") -> Any:
        """Send a command and return its result; events that come meanwhile are noted."""
        return self._loop.run_until_complete(self._send(method, parameters, session))

    async def _send(self, method: str, parameters: Mapping[str, object], session: str) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(message | ({"sessionId": session} if session else {}))
        async with asyncio.timeout(_PATIENCE):
            while True:
                answer = await self._socket.receive_json()
                if answer.get("id") == number:
                    assert "error" not in answer, (method, answer["error"])
                    return answer["result"]
                page = self._pages.get(answer.get("sessionId", ""))
                if page is not None and (fault := _fault(answer)):
                    page.faults.append(fault)


def _fault(event: Mapping[str, Any]) -> str:
    """Return what an event says against a page, or an empty text."""
    given = event.get("params", {})
    match event.get("method"):
        case "Runtime.exceptionThrown":
            return f"exception: {json.dumps(given['exceptionDetails'])[:1000]}"
        case "Runtime.consoleAPICalled" if given["type"] in ("error", "assert"):
            return f"console: {json.dumps(given['args'])[:1000]}"
        case "Log.entryAdded" if given["entry"]["level"] == "error":
            return f"log: {given['entry']['text']}"
        case "Network.requestWillBeSent" if not given["request"]["url"].startswith(_INTERNAL):
            return f"request: {given['request']['url'][:300]}"
        case _:
            return ""


@contextmanager
def start_browser(folder: Path) -> Iterator[Browser]:
    """Start Chromium with its data in a folder, until the context ends.

    It is a package of Debian, and installed if it is missing; where that is not possible the test
    is skipped.
    """
    program = _program()
    # Without a GPU, drawing is done by the processor. The sandbox needs what root has not.
    process = subprocess.Popen(
        [
            program,
            *("--headless=new", "--no-sandbox", "--no-first-run", "--disable-extensions"),
            *("--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
            *("--disable-background-networking", "--disable-component-update"),
            *("--disable-dev-shm-usage", "--hide-scrollbars"),
            f"--user-data-dir={folder}",
            "--remote-debugging-port=0",
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = folder / "DevToolsActivePort"
    loop = asyncio.new_event_loop()
    try:
        wait_for("Chromium listens", lambda: address.exists() and address.read_text(), _PATIENCE)
        port, path = address.read_text().split()
        session = loop.run_until_complete(_session())
        socket = loop.run_until_complete(
            session.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0)
        )
        yield Browser(loop, socket)
        loop.run_until_complete(socket.close())
        loop.run_until_complete(session.close())
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        loop.close()


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


def _program() -> str:
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if found is not None:
        return found
    try:
        debian_packages.ensure(_PACKAGES)
    except (ClusterError, OSError) as error:
        pytest.skip(f"no Chromium here, and it cannot be installed: {error}")
    return shutil.which("chromium") or pytest.skip("the package chromium has no program")


@cache
def _axe() -> str:
    source = gzip.decompress(_AXE.read_bytes())
    assert hashlib.sha256(source).hexdigest() == _AXE_SHA256
    return source.decode()

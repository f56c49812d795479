"""Remembered pins: the digest of an input in one state, so that it is not read again."""

import msgspec

from voxk8s.errors import CorruptBlob
from voxk8s.plan.keys.pins import Pin
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.backend import Backend
from voxk8s.storage.checksummed_json import add_checksum, verify_checksum
from voxk8s.storage.layout import is_name, pin_path
from voxk8s.storage.quarantine import Quarantine

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Pin)


class PinStore:
    """Pins by URL, size and version (an ETag or a time of change), and the server of the URL."""

    def __init__(
        self, backend: Backend, quarantine: Quarantine, refresh: AccessRefresh | None
    ) -> None:
        self._backend = backend
        self._quarantine = quarantine
        self._refresh = refresh

    def get(self, url: str, size: int, version: str, server: str = "") -> Pin | None:
        """Return the pin of an input in this state, or None if it was never pinned."""
        path = pin_path(url, size, version, server)
        used = None if self._refresh is None else self._refresh.refresh_if_old
        data = self._quarantine.read(path, _check, bulk=False, on_valid=used)
        if data is None:
            return None
        pin = _DECODER.decode(data)
        return pin if pin.url == url else None

    def is_corrupt(self, path: str) -> bool:
        """Whether the pin at a path is corrupt; then it is quarantined."""
        failures: list[CorruptBlob] = []

        def check(data: memoryview) -> None:
            try:
                _check(data)
            except CorruptBlob as error:
                failures.append(error)
                raise

        return self._quarantine.read(path, check, bulk=False) is None and len(failures) > 1

    def put(self, pin: Pin, size: int, version: str, server: str = "") -> None:
        """Remember the pin of an input whose state is (url, size, version) on a server."""
        path = pin_path(pin.url, size, version, server)
        self._backend.write(path, (add_checksum(_ENCODER.encode(pin)),), "application/json")


def _check(data: memoryview) -> None:
    verify_checksum(bytes(data))
    try:
        pin = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptBlob(f"a pin cannot be read: {error}") from error
    if not is_name(pin.digest) or pin.size < 0:
        raise CorruptBlob(f"a pin has the digest {pin.digest[:80]!r} and {pin.size} bytes")

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
    """Pins by URL, size and version (an ETag or a time of change)."""

    def __init__(self, backend: Backend, quarantine: Quarantine, refresh: AccessRefresh) -> None:
        self._backend = backend
        self._quarantine = quarantine
        self._refresh = refresh

    def get(self, url: str, size: int, version: str) -> Pin | None:
        """Return the pin of an input in this state, or None if it was never pinned."""
        path = pin_path(url, size, version)
        used = self._refresh.refresh_if_old
        data = self._quarantine.read(path, _check, bulk=False, on_valid=used)
        if data is None:
            return None
        pin = _DECODER.decode(data)
        return pin if pin.url == url else None

    def put(self, pin: Pin, size: int, version: str) -> None:
        """Remember the pin of an input whose state is (url, size, version)."""
        path = pin_path(pin.url, size, version)
        self._backend.write(path, (add_checksum(_ENCODER.encode(pin)),), "application/json")


def _check(data: memoryview) -> None:
    verify_checksum(bytes(data))
    try:
        pin = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptBlob(f"a pin cannot be read: {error}") from error
    if not is_name(pin.digest) or pin.size < 0:
        raise CorruptBlob(f"a pin has the digest {pin.digest[:80]!r} and {pin.size} bytes")

"""Converts errors of obstore into those of `voxk8s.errors`."""

from __future__ import annotations

import re

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from voxk8s.constants import ENV_S3_KEY, ENV_S3_SECRET
from voxk8s.errors import StoreAccessDenied, StoreError, StoreFull, StoreUnreachable
from voxk8s.storage.request_retry import Trouble

_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_STATUS = re.compile(r"status code: (\d{3}[ \w]{0,40})")
_SYSTEM = re.compile(r'message: "([^"\n]{1,200})"')
_NO_CREDENTIALS = (
    "Missing SecretAccessKey",
    "Missing AccessKeyId",
    "169.254.169.254",
    "169.254.170.2",
    "metadata endpoint",
    "InvalidCredential",
)
_UNREACHABLE = (
    "kind: Connect",
    "kind: Timeout",
    "kind: Request",
    "kind: Interrupted",
    "kind: Body",
    "kind: Decode",
    "TimedOut",
    "dns error",
)
_OVERLOADED = ("<Code>SlowDown</Code>", "<Code>RequestLimitExceeded</Code>", "status code: 429")
_BEYOND_END = (
    "status code: 416",
    "Requested range was invalid",
    "Invalid range: Wanted",
    "Out of range of file",
)
_CLOSED = ("IncompleteMessage", "connection closed", "ConnectionReset", "UnexpectedEof")
_FULL = (
    "No space left on device",
    "Disk quota exceeded",
    "status code: 507",
    "<Code>XMinioStorageFull</Code>",
    "<Code>QuotaExceeded</Code>",
)
_REFUSED = ("Permission denied", "Read-only file system", "Operation not permitted")


def is_inconclusive_404(error: BaseException, *, with_body: bool) -> bool:
    """Whether a 404 does not mean that the object is missing.

    It may be about the bucket, or come from something other than an S3 server (a proxy, an ingress
    without a back end): S3 gives a code in the body, if the answer has a body.
    """
    text = str(error)
    return "NoSuchBucket" in text or (with_body and "NoSuchKey" not in text)


def is_not_s3(error: BaseException) -> bool:
    """Whether a 404 was given by something other than an S3 server."""
    text = str(error)
    codes = ("NoSuchKey", "NoSuchBucket", "NoSuchUpload")
    return "status code: 404" in text and not any(code in text for code in codes)


def missing_credentials(url: str, doing: str = "open anything") -> StoreAccessDenied:
    """Return the error for a key without a secret, a secret without a key, or neither."""
    return StoreAccessDenied(
        f"cannot {doing} in the store {url}: no credentials; set {ENV_S3_KEY} and {ENV_S3_SECRET}"
    )


def is_beyond_end(error: BaseException) -> bool:
    """Whether a range of bytes begins where an object has ended."""
    text = str(error)
    return any(word in text for word in _BEYOND_END)


def judge(error: BaseException) -> Trouble:
    """Return what an error of a request to S3 says about the store."""
    text = str(error)
    if any(word in text for word in _OVERLOADED):
        return Trouble.OVERLOADED
    if any(word in text for word in (*_NO_CREDENTIALS, *_FULL)):
        return Trouble.ANSWERED
    # The answer to the last request of an upload in parts was lost: the upload is done again.
    if "NoSuchUpload" in text or re.search(r"status code: (408|5(?!01)\d\d)", text):
        return Trouble.FAILED
    is_answer = "status code: " in text
    if not is_answer and any(word in text for word in _UNREACHABLE):
        return Trouble.FAILED
    return Trouble.ANSWERED


def convert(error: BaseException, url: str, doing: str) -> StoreError:
    """Return our error for one of obstore's, raised while `doing` (as in "read").

    The message has the store's URL and the reason, never the request: requests are signed.
    """
    text = str(error)
    where = f"cannot {doing} in the store {url}"
    if "NoSuchBucket" in text:
        return StoreUnreachable(f"{where}: the bucket does not exist; create it or correct the URL")
    denied = (PermissionDeniedError, UnauthenticatedError, PermissionError)
    if isinstance(error, denied) or re.search(r"status code: 40[13]", text):
        return StoreAccessDenied(f"{where}: access denied ({_reason(text)}); {_RIGHTS}")
    if any(word in text for word in _NO_CREDENTIALS):
        return missing_credentials(url, doing)
    if any(word in text for word in _REFUSED):
        return StoreAccessDenied(f"{where}: access denied ({_reason(text)})")
    if is_not_s3(error):
        return StoreUnreachable(f"{where}: the server there is not S3 (404 Not Found)")
    if any(word in text for word in _FULL):
        return StoreFull(f"{where}: no space is left; free some, see `voxk8s store gc --help`")
    if isinstance(error, OSError) or any(word in text for word in _UNREACHABLE):
        return StoreUnreachable(f"{where}: it does not answer ({_reason(text)})")
    if re.search(r"status code: 5\d\d", text):
        return StoreUnreachable(f"{where}: it does not answer ({_reason(text)})")
    return StoreError(f"{where}: {_reason(text)}")


_RIGHTS = "check the credentials, and that they may get, put, delete and list"


def _reason(text: str) -> str:
    found = [match.group(1) for match in (_STATUS.search(text), _CODE.search(text)) if match]
    if found:
        return ", ".join(found)
    if match := _SYSTEM.search(text):
        return match.group(1)
    if "TimedOut" in text or "kind: Timeout" in text:
        return "time-out"
    if "dns error" in text:
        return "unknown host name"
    if any(word in text for word in _CLOSED):
        return "the connection was closed"
    return re.sub(r"\s+", " ", text.split("\n", 1)[0])[:200]

"""What went wrong at the store, in our words: the edge between obstore's errors and ours."""

from __future__ import annotations

import re

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from voxk8s.errors import StoreAccessDenied, StoreError, StoreUnreachable

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
_UNREACHABLE = ("kind: Connect", "kind: Timeout", "kind: Request", "TimedOut", "dns error")
_REFUSED = ("Permission denied", "Read-only file system", "Operation not permitted")


def is_inconclusive_404(error: BaseException, *, with_body: bool) -> bool:
    """Whether a 404 from S3 says nothing about the object.

    It may be about the bucket, or come from something that is no S3 server (a proxy, an ingress
    without a back end): S3 names its reason, save where an answer has no body.
    """
    text = str(error)
    return "NoSuchBucket" in text or (with_body and "NoSuchKey" not in text)


def is_not_s3(error: BaseException) -> bool:
    """Whether an answer was given by something that is no S3 server."""
    text = str(error)
    return "status code: 404" in text and "NoSuchKey" not in text and "NoSuchBucket" not in text


def convert(error: BaseException, url: str, doing: str) -> StoreError:
    """Give the error of our tree for one of obstore's.

    The message has the store's URL and the reason, never the request: requests are signed.
    """
    text = str(error)
    where = f"cannot {doing} in the store {url}"
    if "NoSuchBucket" in text:
        return StoreUnreachable(f"{where}: the bucket does not exist; create it or mend the URL")
    denied = (PermissionDeniedError, UnauthenticatedError, PermissionError)
    if isinstance(error, denied) or re.search(r"status code: 40[13]", text):
        return StoreAccessDenied(f"{where}: access denied ({_reason(text)}); {_RIGHTS}")
    if any(word in text for word in _NO_CREDENTIALS):
        return StoreAccessDenied(
            f"{where}: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if any(word in text for word in _REFUSED):
        return StoreAccessDenied(f"{where}: access denied ({_reason(text)})")
    if is_not_s3(error):
        return StoreUnreachable(f"{where}: what answers there is no S3 server (404 Not ObjectInfo)")
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
        return "its host name is unknown"
    return re.sub(r"\s+", " ", text.split("\n", 1)[0])[:200]

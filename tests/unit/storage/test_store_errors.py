"""Conversion of obstore's errors."""

from __future__ import annotations

import pytest

from voxk8s.errors import StoreAccessDenied, StoreError, StoreFull, StoreUnreachable
from voxk8s.storage.request_retry import Trouble
from voxk8s.storage.store_errors import convert, is_inconclusive_404, is_not_s3, judge


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("<Code>NoSuchBucket</Code>", StoreUnreachable, "the bucket does not exist"),
        ("status code: 403 Forbidden", StoreAccessDenied, "access denied"),
        ("Missing AccessKeyId", StoreAccessDenied, "no credentials; set AWS_ACCESS_KEY_ID"),
        ("status code: 404 Not Found", StoreUnreachable, "is not S3"),
        ("status code: 503 Slow Down", StoreUnreachable, "503 Slow Down"),
        ("error: dns error", StoreUnreachable, "unknown host name"),
        ("No space left on device (os error 28)", StoreFull, "no space is left"),
        ("status code: 507 Insufficient Storage", StoreFull, "no space is left"),
        ("something else", StoreError, "something else"),
    ],
)
def test_errors_say_which_store_and_why(text: str, kind: type[StoreError], reason: str) -> None:
    """The class says whether the store is unreachable or refuses access."""
    error = convert(RuntimeError(text), "s3://bucket", "read")
    assert type(error) is kind
    assert str(error).startswith("cannot read in the store s3://bucket: ")
    assert reason in str(error)


def test_only_s3_can_say_that_an_object_is_missing() -> None:
    """A 404 without S3's code may come from a proxy, unless an answer has no body."""
    missing = FileNotFoundError("status code: 404 <Code>NoSuchKey</Code>")
    proxy = FileNotFoundError("status code: 404 Not Found")
    assert not is_inconclusive_404(missing, with_body=True)
    assert is_inconclusive_404(proxy, with_body=True)
    assert not is_inconclusive_404(proxy, with_body=False)
    assert (is_not_s3(missing), is_not_s3(proxy)) == (False, True)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("status code: 503 Service Unavailable: <Code>SlowDown</Code>", Trouble.OVERLOADED),
        ("status code: 429 Too Many Requests", Trouble.OVERLOADED),
        ("status code: 503 Service Unavailable", Trouble.FAILED),
        ("status code: 500 Internal Server Error", Trouble.FAILED),
        ("status code: 404 Not Found: <Code>NoSuchUpload</Code>", Trouble.FAILED),
        ("HTTP error: error sending request, kind: Timeout", Trouble.FAILED),
        ("kind: Connect, dns error", Trouble.FAILED),
        ("status code: 501 Not Implemented", Trouble.ANSWERED),
        ("status code: 403 Forbidden", Trouble.ANSWERED),
        ("status code: 404 Not Found: <Code>NoSuchKey</Code>", Trouble.ANSWERED),
        ("status code: 412 Precondition Failed", Trouble.ANSWERED),
        ("kind: Connect, http://169.254.169.254/latest", Trouble.ANSWERED),
    ],
)
def test_errors_say_whether_another_attempt_may_help(text: str, trouble: Trouble) -> None:
    """Answers are final, overload and loss are not."""
    assert judge(RuntimeError(text)) is trouble

"""Conversion of obstore's errors."""

from __future__ import annotations

import pytest

from voxk8s.errors import StoreAccessDenied, StoreError, StoreUnreachable
from voxk8s.storage.store_errors import convert, is_inconclusive_404, is_not_s3


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("<Code>NoSuchBucket</Code>", StoreUnreachable, "the bucket does not exist"),
        ("status code: 403 Forbidden", StoreAccessDenied, "access denied"),
        ("Missing AccessKeyId", StoreAccessDenied, "no credentials; set AWS_ACCESS_KEY_ID"),
        ("status code: 404 Not Found", StoreUnreachable, "is not S3"),
        ("status code: 503 Slow Down", StoreUnreachable, "503 Slow Down"),
        ("error: dns error", StoreUnreachable, "unknown host name"),
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

"""Brings files into a bucket: never over other content, in parts, and on from where it stopped.

obstore cannot go on with an upload of an earlier process; botocore, which s3fs brings, can. A
digest of the whole file is kept with the object, and the server verifies each part by its MD5.
"""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from voxk8s import constants
from voxk8s.errors import InvalidUsage, StoreAccessDenied, StoreUnreachable
from voxk8s.storage.store_options import StoreOptions

_PART: Final = 16 * 1024 * 1024
_MOST_PARTS: Final = 9_000  # S3 takes 10,000
_DIGEST: Final = "sha256"
_CONNECTIONS: Final = 16
_TAKEN: Final = (404, 409, 412)
"""Of an upload that is over, and where an object is there."""

Tell = Callable[[int], None]
"""Is called with the number of bytes that were sent, or need not be sent again."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An object that has the bytes of a file; `sent` is whether they were sent now."""

    url: str
    size: int
    sent: bool


class Uploader:
    """Uploads files to one bucket. Safe to use from many threads.

    `memory` is a folder in which unfinished uploads are remembered, by the name of the `server`: by
    default its address, which another port-forward changes.
    """

    def __init__(
        self,
        bucket: str,
        options: StoreOptions,
        memory: Path,
        *,
        replace: bool = False,
        server: str | None = None,
    ) -> None:
        """Use complete options; with `replace` other content is replaced."""
        # Heavy, and only needed here and by the operator.
        import botocore.session
        from botocore.config import Config

        self._bucket = bucket
        self._memory = memory
        self._replace = replace
        # Two who bring different bytes to one name: the first wins, the second is told.
        self._condition = {} if replace else {"IfNoneMatch": "*"}
        self._server = server or options.endpoint or ""
        self._client: Any = botocore.session.get_session().create_client(
            "s3",
            region_name=options.region or constants.DEFAULT_REGION,
            endpoint_url=options.endpoint,
            aws_access_key_id=options.key,
            aws_secret_access_key=options.secret,
            aws_session_token=options.token,
            config=Config(
                connect_timeout=10,
                read_timeout=60,
                retries={"total_max_attempts": 5, "mode": "standard"},
                max_pool_connections=_CONNECTIONS,
                s3={"addressing_style": "path"} if options.endpoint else None,
                # Not every server knows them; MD5 all do.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, path: Path, key: str, tell: Tell = lambda _: None) -> Uploaded:
        """Bring a file to a key, unless it is there.

        Raises InvalidUsage for a file that cannot be read or has changed meanwhile, and where there
        is other content; StoreAccessDenied and StoreUnreachable.
        """
        from botocore.exceptions import ClientError

        url = f"s3://{self._bucket}/{key}"
        with _readable(path), _converted(url):
            size, digest = path.stat().st_size, file_digest(path)
            if self._is_there(key, size, digest, url):
                tell(size)
                return Uploaded(url, size, sent=False)
            try:
                if size <= _PART:
                    self._put_whole(path, key, digest)
                    tell(size)
                else:
                    self._put_parts(path, key, size, digest, tell)
            except ClientError as error:
                # An answer may be lost, and another process may bring the same bytes.
                if _status(error) not in _TAKEN or not self._is_there(key, size, digest, url):
                    raise
            return Uploaded(url, size, sent=True)

    def _is_there(self, key: str, size: int, digest: str, url: str) -> bool:
        from botocore.exceptions import ClientError

        try:
            found = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            # 403 is what those get for a missing object who may not list the bucket.
            if _status(error) in (403, 404):
                return False
            raise
        if found["ContentLength"] == size and found.get("Metadata", {}).get(_DIGEST) == digest:
            return True
        if self._replace:
            return False
        raise InvalidUsage(_other_content(url))

    def _put_whole(self, path: Path, key: str, digest: str) -> None:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise InvalidUsage(f"{path}: the file changes while it is read")
        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=data,
            ContentMD5=_md5(data),
            Metadata={_DIGEST: digest},
            ContentType=_media_type(path),
            **self._condition,
        )

    def _put_parts(self, path: Path, key: str, size: int, digest: str, tell: Tell) -> None:
        from botocore.exceptions import ClientError

        note = (
            self._memory
            / hashlib.sha256(
                json.dumps([self._server, self._bucket, key, digest]).encode()
            ).hexdigest()
        )
        step = max(_PART, -(-size // _MOST_PARTS))
        upload, present = self._resumed(note, key)
        if upload is None:
            upload = self._client.create_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                Metadata={_DIGEST: digest},
                ContentType=_media_type(path),
            )["UploadId"]
            with suppress(OSError):  # then it cannot go on later
                note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                note.write_text(upload)
        where = {"Bucket": self._bucket, "Key": key, "UploadId": upload}
        try:
            parts = self._send_parts(path, where, -(-size // step), step, digest, present, tell)
            self._client.complete_multipart_upload(
                **where, MultipartUpload={"Parts": parts}, **self._condition
            )
        except (ClientError, InvalidUsage) as error:
            # After other errors it can go on.
            if isinstance(error, InvalidUsage) or _status(error) in _TAKEN:
                note.unlink(missing_ok=True)
                with suppress(ClientError):
                    self._client.abort_multipart_upload(**where)
            raise
        note.unlink(missing_ok=True)

    def _send_parts(
        self,
        path: Path,
        where: Mapping[str, str],
        count: int,
        step: int,
        digest: str,
        present: Mapping[int, str],
        tell: Tell,
    ) -> list[dict[str, object]]:
        """Send the parts that are not `present`; return all. Raises InvalidUsage for others."""
        parts: list[dict[str, object]] = []
        seen = hashlib.sha256()
        with path.open("rb") as file:
            for number in range(1, count + 1):
                data = file.read(step)
                seen.update(data)
                tag = present.get(number)
                if tag is None or tag.strip('"') != hashlib.md5(data).hexdigest():  # noqa: S324 - S3's
                    tag = self._client.upload_part(
                        **where, PartNumber=number, Body=data, ContentMD5=_md5(data)
                    )["ETag"]
                parts.append({"PartNumber": number, "ETag": tag})
                tell(len(data))
        if seen.hexdigest() != digest:
            raise InvalidUsage(f"{path}: the file changes while it is read")
        return parts

    def _resumed(self, note: Path, key: str) -> tuple[str | None, dict[int, str]]:
        """Return the unfinished upload of the same bytes, and the ETags of its parts."""
        from botocore.exceptions import ClientError

        try:
            upload = note.read_text().strip()
        except OSError:
            return None, {}
        pages = self._client.get_paginator("list_parts")
        try:
            parts = [
                part
                for page in pages.paginate(Bucket=self._bucket, Key=key, UploadId=upload)
                for part in page.get("Parts", ())
            ]
        except ClientError as error:
            if _status(error) != 404:
                raise
            return None, {}  # the server has dropped it
        return upload, {part["PartNumber"]: part["ETag"] for part in parts}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _other_content(url: str) -> str:
    return (
        f"{url} has other content: choose another prefix (--to PREFIX), or --replace it if no run"
        " reads it"
    )


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data).digest()).decode()  # noqa: S324 - S3's checksum


def _media_type(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        raise InvalidUsage(f"cannot read {path}: {error.strerror or error}") from error


@contextmanager
def _converted(url: str) -> Iterator[None]:
    """Convert the errors of botocore."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if _status(error) in (409, 412):
            raise InvalidUsage(_other_content(url)) from error
        reason = error.response.get("Error", {}).get("Message") or str(error)
        if _status(error) in (400, 401, 403):
            raise StoreAccessDenied(f"the store refuses to write {url}: {reason}") from error
        raise StoreUnreachable(f"the store failed to write {url}: {reason}") from error
    except BotoCoreError as error:
        raise StoreUnreachable(f"the store does not answer: {error}") from error

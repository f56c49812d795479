"""Tests of texts without credentials and control characters."""

from __future__ import annotations

import json

import pytest

from voxk8s.redact import redact, shown_parameter, visible, visible_json

SECRET = "S3cr3t"


@pytest.mark.parametrize(
    "text",
    [
        f"https://anna:{SECRET}@host/a",
        f"https://anna:p@{SECRET}@host/a",
        f"https://{SECRET}@host/a",
        f"redis://:{SECRET}@host",
        f"input https://h/a.nii?X-Amz-Date=1&X-Amz-Signature={SECRET}: access is denied",
        f"https://h/a?x-amz-security-token={SECRET}&x-amz-credential={SECRET}",
        f"https://h/a?X-Goog-Signature={SECRET}",
        f"https://h/a?AWSAccessKeyId={SECRET}&Signature={SECRET}&Expires=1",
        f"https://acc.blob.core.windows.net/c/a?sv=2020&sig={SECRET}",
        f"https://h/a?token={SECRET}",
        f"https://h/a?access_token={SECRET}#x",
        f"https://h/a?user=b&password={SECRET}",
        f"https://h/a?api_key={SECRET}",
        f"'https://h/a?b=1;sig={SECRET}' and https://x:{SECRET}@y",
    ],
)
def test_credentials_of_urls(text: str) -> None:
    """Users, passwords, signatures and tokens are hidden, the rest of the URL is not."""
    assert SECRET not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "input s3://data/a.nii: it does not exist",
        "https://h/a?versionId=3&page=2&design=5&monkey=1",
        "a@b.example and x=1",
        "git@host:path",
        "default.load (0123) failed at a.imgql:2:5",
    ],
)
def test_other_texts(text: str) -> None:
    """What is no credential is kept."""
    assert redact(text) == text


@pytest.mark.parametrize("name", ["password", "apiKey", "MY_TOKEN", "db_secret", "AWS_SESSION_KEY"])
def test_parameters_that_are_secrets(name: str) -> None:
    """Their values are hidden by their names."""
    assert shown_parameter(name, SECRET) == "***"


@pytest.mark.parametrize("name", ["threshold", "passes", "keys", "author", "image", "passage"])
def test_other_parameters(name: str) -> None:
    """Other values are shown, without credentials in URLs."""
    assert shown_parameter(name, "0.5") == "0.5"
    assert SECRET not in shown_parameter(name, f"https://a:{SECRET}@h/")


def test_control_characters() -> None:
    """What a terminal obeys, and what turns text around, is escaped; other text is kept."""
    text = "a\x1b[31m\x07\r\x9b2J\u202egpj.exe\u2066\U000e0041\x00\x7f"
    shown = visible(text)
    assert shown.isprintable()
    assert shown.startswith("a\\x1b[31m\\x07\\r\\x9b2J\\u202egpj.exe")
    kept = "Größe\tµm\nשלום 😀 日本"
    assert visible(kept) == kept


def test_json_means_the_same() -> None:
    """Escapes of JSON are used in JSON."""
    value = {"a": "\x9b2J\u202e\x7fä"}
    text = visible_json(json.dumps(value, ensure_ascii=False))
    assert text.replace("ä", "").isascii()
    assert json.loads(text) == value

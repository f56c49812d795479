"""User and password, signatures and tokens of URLs are in no error, log, output or report."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import voxk8s
from voxk8s.errors import InputUnavailable, InvalidPlan, InvalidProgram
from voxk8s.failure import error_text, failure_of
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.pinning import pin_input
from voxk8s.safe_log import SafeFormatter
from voxk8s.storage import StoreOptions, open_store

SECRET = "S3cr3t"
URLS = [
    f"http://anna:{SECRET}@127.0.0.1:1/a.nii",
    f"http://127.0.0.1:1/a.nii?X-Amz-Expires=60&X-Amz-Signature={SECRET}",
    f"ftp://anna:{SECRET}@host/a.nii",
]


@pytest.mark.parametrize("url", URLS)
def test_command_line(tmp_path: Path, url: str) -> None:
    """Neither output, nor --json, nor the log, nor the report shows them."""
    (tmp_path / "a.imgql").write_text(f'print "x" load("{url}")\n')
    done = voxk8s(
        tmp_path, "run", "a.imgql", "--json", "-v", "--report", "r.html",
        "--param", f"password={SECRET}", env={"VOXK8S_RETRY_LIMIT": "0"},
    )  # fmt: skip
    assert done.status == 1
    assert SECRET not in done.out
    assert SECRET not in done.err.replace(f'load("{url}")', "")
    assert SECRET not in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize("url", URLS)
def test_failures(url: str) -> None:
    """What goes to statuses and events is made from failures."""
    with pytest.raises(Exception, match=r"\*\*\*") as raised:
        pin_input(url, InputOptions())
    assert SECRET not in str(raised.value)
    assert SECRET not in str(failure_of(raised.value))
    assert SECRET not in error_text(ValueError(f"cannot open {url}"))


@pytest.mark.parametrize("kind", [InputUnavailable, InvalidPlan, InvalidProgram])
def test_errors(kind: type[Exception]) -> None:
    """Every error of this package hides them."""
    assert SECRET not in str(kind(f"cannot read {URLS[0]}"))


def test_logs_of_pods() -> None:
    """Nor are they in tracebacks of other packages."""
    try:
        raise ValueError(URLS[0])  # noqa: TRY301
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("a", logging.ERROR, "a", 1, "%s \x1b[2J", (URLS[1],), info)
    text = SafeFormatter("%(message)s").format(record)
    assert SECRET not in text
    assert "\x1b" not in text
    assert "Traceback" in text


def test_names_of_tasks() -> None:
    """Keys of a store show neither in its name nor in the keys that Dask makes of it."""
    options = StoreOptions(key="AKIA", secret=SECRET, token=SECRET)
    store = open_store("s3://results/lab", options=options, env={})
    shown = f"{store!r} {store.__dask_tokenize__()} {options!r}"
    assert SECRET not in shown
    other = open_store("s3://results/lab", options=replace(options, secret="x"), env={})
    assert other.token != store.token  # it is a digest of them

"""Settings, and the reading of environment variables."""

from __future__ import annotations

import pytest

from voxk8s.errors import InvalidUsage
from voxk8s.settings import Settings, read_flag, read_json, read_number


def test_empty_environment_gives_the_defaults() -> None:
    """Nothing has to be set."""
    assert Settings.from_env({}) == Settings()


def test_variables_set_the_settings() -> None:
    """Every kind of setting is read from its variable."""
    env = {
        "VOXK8S_STORE": "s3://results",
        "VOXK8S_STORE_POLICY": "goals",
        "VOXK8S_TEST_KERNELS": "yes",
        "VOXK8S_RETRY_LIMIT": "5",
        "VOXK8S_LEASE_SECONDS": "0.5",
        "VOXK8S_STORE_BYTES": "1e9",
        "VOXK8S_REPORT_VOXELS": "5",
        "VOXLOGICA_DASK_THREADS": "2",
        "VOXLOGICA_DASK_MEMORY": "4GB",
    }
    assert Settings.from_env(env) == Settings(
        store="s3://results",
        store_policy="goals",
        test_kernels=True,
        retry_limit=5,
        lease_seconds=0.5,
        store_bytes=1e9,
        report_voxels=5.0,
        dask_threads=2,
        dask_memory="4GB",
    )


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("VOXK8S_STORE_POLICY", "some", "one of auto, all, goals"),
        ("VOXK8S_TEST_KERNELS", "maybe", "true or false"),
        ("VOXK8S_RETRY_LIMIT", "-1", "a number of at least 0"),
        ("VOXLOGICA_DASK_THREADS", "0", "a number of at least 1"),
        ("VOXK8S_LEASE_SECONDS", "inf", "a number of at least 0"),
        ("VOXK8S_REPORT_VOXELS", "101", "a number from 0 to 100"),
        ("VOXK8S_LEASE_SECONDS", "soon", "a number of at least 0"),
    ],
)
def test_invalid_values_are_named(name: str, text: str, expected: str) -> None:
    """The message has the variable, what was expected and what was found."""
    with pytest.raises(InvalidUsage, match=f"{name}: expected {expected}, got '{text}'"):
        Settings.from_env({name: text})


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), (" On ", True), ("", False), ("n", False)]
)
def test_flags_have_the_usual_spellings(text: str, value: bool) -> None:
    """Upper case and blanks do not matter; a variable that is not set has the default."""
    assert read_flag({"X": text}, "X", not value) is value
    assert read_flag({}, "X", value) is value


def test_numbers_have_bounds() -> None:
    """Both bounds are allowed, and an empty variable has the default."""
    assert read_number({"X": "7"}, "X", 0, least=1, most=7) == 7
    assert read_number({"X": " "}, "X", 3) == 3
    with pytest.raises(InvalidUsage, match="a number from 1 to 7, got '8'"):
        read_number({"X": "8"}, "X", 0, least=1, most=7)


def test_json_has_a_type() -> None:
    """Other types and other text are refused."""
    default: tuple[str, ...] = ("b",)
    assert read_json({"X": '["a"]'}, "X", tuple[str, ...], default) == ("a",)
    assert read_json({}, "X", tuple[str, ...], default) == ("b",)
    for text in ("[1]", "a, b"):
        with pytest.raises(InvalidUsage, match="X: "):
            read_json({"X": text}, "X", tuple[str, ...], ())

"""The commands and options of the command line."""

from __future__ import annotations

import importlib

import pytest

from voxk8s.cli.argument_parser import build_parser


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the error of an invalid call."""
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(words)
    assert caught.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "call",
    ["run x", "compile x", "check x", "fmt x", "explain x", "submit x", "status", "watch x",
     "results x", "logs x", "cancel x", "store stats", "store verify", "store gc",
     "store invalidate", "store adopt --from a --into b", "crd"],
)  # fmt: skip
def test_every_command_has_its_module(call: str) -> None:
    """`module` names a module with a function `run`."""
    name = build_parser().parse_args(call.split()).module
    assert callable(importlib.import_module(f"voxk8s.cli.commands.{name}").run)


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """They name the command whose --help has more."""
    err = refused(capsys, "run")
    assert err == (
        "voxk8s run: the following arguments are required: FILE (see voxk8s run --help)\n"
    )


def test_a_bare_assignment_is_led_to_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    """In notebooks it is right; a misspelt option is not blamed on the value."""
    assert "SCAN=a; did you mean --param SCAN=a?" in refused(capsys, "run", "x", "SCAN=a")
    assert "did you mean" not in refused(capsys, "run", "x", "--quite=1")


@pytest.mark.parametrize(
    ("text", "pair"), [("N=1", ("N", "1")), ("N=", ("N", "")), ("N=a=b", ("N", "a=b"))]
)
def test_parameters_are_pairs(text: str, pair: tuple[str, str]) -> None:
    """The first sign `=` ends the name."""
    assert build_parser().parse_args(["run", "x", "--param", text]).param == [pair]


@pytest.mark.parametrize("text", ["N", "=1", "1N=1", "a b=1"])
def test_parameters_need_a_name(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Anything but NAME=VALUE is an invalid call."""
    assert f"expected NAME=VALUE, got '{text}'" in refused(capsys, "run", "x", "--param", text)


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--older-than", "90d"], "older_than", 90 * 86_400.0),
        (["--older-than", "1.5h"], "older_than", 5400.0),
        (["--older-than", "2w"], "older_than", 14 * 86_400.0),
        (["--max-size", "20GiB"], "max_size", 20 * 2**30),
        (["--max-size", "500gb"], "max_size", 500 * 10**9),
        (["--max-size", "1000"], "max_size", 1000),
        (["--grace", "45"], "grace", 45.0),
        ([], "grace", 2 * 86_400.0),
    ],
)
def test_ages_and_sizes_have_units(words: list[str], name: str, value: float) -> None:
    """Ages have s, m, h, d, w; sizes KB to TB and KiB to TiB."""
    assert getattr(build_parser().parse_args(["store", "gc", *words]), name) == value


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--older-than", "d"], "expected an age such as 90d"),
        (["--max-size", "-1"], "argument --max-size"),
        (["--max-size", "5d"], "expected a size such as 500GB"),
        (["--grace", "1y"], "expected an age such as 90d"),
    ],
)
def test_invalid_ages_and_sizes_are_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """The message has an example."""
    err = refused(capsys, "store", "gc", *words)
    assert err.startswith("voxk8s store gc: argument")
    assert message in err


def test_options_of_the_cache_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    """A run cannot both refresh and bypass the store."""
    assert "not allowed with" in refused(capsys, "run", "x", "--refresh", "--no-cache")


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """--version needs no command."""
    import voxk8s

    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(["--version"])
    assert not caught.value.code
    assert capsys.readouterr().out == f"voxk8s {voxk8s.__version__}\n"


def test_verbosity_is_counted() -> None:
    """-v and -q may be repeated, after the command."""
    found = build_parser().parse_args(["run", "x", "-vv", "-q"])
    assert (found.verbose, found.quiet) == (2, 1)

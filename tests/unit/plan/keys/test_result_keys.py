"""Result keys and suffixes."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.plan import Digest, ResultKey
from voxk8s.plan.canonical import canonical, digest
from voxk8s.plan.kernel_version import KernelVersion, numbered
from voxk8s.plan.keys.result_keys import (
    constant_key,
    file_suffix,
    input_key,
    kernel_tail,
    operation_key,
    save_key,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
KEYS = st.binary(min_size=32, max_size=32).map(lambda data: ResultKey(data.hex()))
LISTS = st.lists(KEYS, max_size=13)


@given(TEXT, st.integers(1, 99), LISTS)
def test_operation_keys_are_canonical(
    kernel: str, version: int, arguments: list[ResultKey]
) -> None:
    """An operation's key is the digest of a tagged canonical object."""
    pre_image = {
        "voxk8s": "operation/v1",
        "kernel": kernel,
        "version": version,
        "arguments": arguments,
    }
    assert operation_key(kernel_tail(kernel, numbered(version)), arguments) == str(
        digest(canonical(pre_image))
    )


@given(TEXT, st.integers(1, 99), KEYS, st.dictionaries(TEXT, TEXT, min_size=1), LISTS)
def test_code_and_libraries_are_members_of_their_own(
    kernel: str,
    number: int,
    code: ResultKey,
    libraries: dict[str, str],
    arguments: list[ResultKey],
) -> None:
    """The digest of the code is there instead of a version, libraries have their versions."""
    pre_image: dict[str, object] = {
        "voxk8s": "operation/v1",
        "kernel": kernel,
        "libraries": libraries,
        "arguments": arguments,
    }
    pairs = tuple(sorted(libraries.items()))
    tail = kernel_tail(kernel, KernelVersion(number, libraries=pairs))
    expected = digest(canonical(pre_image | {"version": number}))
    assert operation_key(tail, arguments) == str(expected)
    tail = kernel_tail(kernel, KernelVersion(code=code, libraries=pairs))
    expected = digest(canonical(pre_image | {"code": code}))
    assert operation_key(tail, arguments) == str(expected)


VERSIONS = st.builds(
    KernelVersion,
    st.integers(1, 3),
    st.sampled_from(["", "c" * 64, "d" * 64]),
    st.sampled_from([(), (("A", "1"),), (("A", "2"),), (("A", "1"), ("B", "1")), (("B", "1"),)]),
)


@given(st.sampled_from(["a.k", "b.k"]), VERSIONS, st.sampled_from(["a.k", "b.k"]), VERSIONS)
def test_kernels_share_keys_only_if_nothing_that_matters_differs(
    kernel: str, version: KernelVersion, other: str, another: KernelVersion
) -> None:
    """Name, libraries, and the code, or without it the number."""

    def identity(name: str, of: KernelVersion) -> object:
        return name, of.code or of.number, of.libraries

    same = kernel_tail(kernel, version) == kernel_tail(other, another)
    assert same == (identity(kernel, version) == identity(other, another))


@pytest.mark.parametrize(
    ("version", "pre_image"),
    [
        (
            KernelVersion(1),
            '{"arguments":["KEY"],"kernel":"a.k","version":1,"voxk8s":"operation/v1"}',
        ),
        (
            KernelVersion(2, libraries=(("A", "2"),)),
            '{"arguments":["KEY"],"kernel":"a.k","libraries":{"A":"2"},"version":2,"voxk8s":"operation/v1"}',
        ),
        (
            KernelVersion(code="c0de"),
            '{"arguments":["KEY"],"code":"c0de","kernel":"a.k","voxk8s":"operation/v1"}',
        ),
    ],
    ids=["by number", "with a library", "by code"],
)
def test_golden_pre_images(version: KernelVersion, pre_image: str) -> None:
    """The very text that is hashed; a change here makes every stored result unknown.

    The arguments come first, so that all operations of a kernel share the text behind them; the
    other members are in order.
    """
    argument = constant_key(1)
    found = operation_key(kernel_tail("a.k", version), [argument])
    assert found == str(digest(pre_image.replace("KEY", argument)))


@given(TEXT, st.integers(1, 99), KEYS, LISTS)
def test_input_keys_are_canonical(
    kernel: str, version: int, content: ResultKey, arguments: list[ResultKey]
) -> None:
    """An input's key is that of its content."""
    pre_image = {
        "voxk8s": "input/v1",
        "kernel": kernel,
        "version": version,
        "content": content,
        "arguments": arguments,
    }
    key = input_key(kernel, version, Digest(content), arguments)
    assert key == str(digest(canonical(pre_image)))


@given(TEXT | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False))
def test_constant_keys_are_canonical(value: str | int | float) -> None:
    """A constant's key is that of its value."""
    assert str(constant_key(value)) == digest(canonical({"voxk8s": "constant/v1", "value": value}))


@given(st.integers(1, 99), TEXT, KEYS)
def test_save_keys_are_canonical(version: int, suffix: str, argument: ResultKey) -> None:
    """A saved file's key has the suffix, which says how it is encoded."""
    pre_image = {
        "voxk8s": "save/v1",
        "kernel": "voxk8s.save",
        "version": version,
        "suffix": suffix,
        "arguments": [argument],
    }
    assert save_key(version, suffix, argument) == str(digest(canonical(pre_image)))


def test_every_ingredient_changes_the_key() -> None:
    """Kernel, version, arguments, their order, content and kind each make another key."""
    a, b = constant_key(1), constant_key(2)
    tail = kernel_tail("ns.k", numbered(1))
    keys = [
        a,
        b,
        constant_key(1.0),
        operation_key(tail, []),
        operation_key(tail, [a]),
        operation_key(tail, [a, b]),
        operation_key(tail, [b, a]),
        operation_key(kernel_tail("ns.k", numbered(2)), [a]),
        operation_key(kernel_tail("other.k", numbered(1)), [a]),
        input_key("ns.k", 1, Digest("0" * 64), []),
        input_key("ns.k", 1, Digest("1" * 64), []),
        input_key("ns.k", 1, Digest("1" * 64), [a]),
        save_key(1, ".nii", a),
        save_key(1, ".nii.gz", a),
        save_key(2, ".nii", a),
    ]
    assert all(first != then for first, then in combinations(keys, 2))


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("mask.nii.gz", ".nii.gz"), ("a/b.c/mask.NII.GZ", ".nii.gz"), ("x.json", ".json"),
        ("x.tar.gz", ".gz"), ("notes", ""), ("a.b/notes", ""), (".hidden", ""),
        ("s3://bucket/x.png", ".png"), ("dir\\x.png", ".png"), (".nii.gz", ".nii.gz"),
    ],
)  # fmt: skip
def test_suffix_is_the_last_part_of_the_name(name: str, suffix: str) -> None:
    """The suffix is taken from the file's own name, in lower case."""
    assert file_suffix(name) == suffix

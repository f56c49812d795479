"""The full version of a kernel: its number or code, and its libraries."""

from __future__ import annotations

import pytest

from voxk8s.plan.kernel_version import KernelVersion, numbered, parse_kernel


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (KernelVersion(3), "3"),
        (KernelVersion(code="9f86d081884c7d65"), "of code 9f86d081884c"),
        (KernelVersion(1, libraries=(("A", "2.0"), ("B", "1"))), "1 with A 2.0 and B 1"),
    ],
)
def test_messages_name_what_distinguishes_it(version: KernelVersion, text: str) -> None:
    """The number or the beginning of the digest, and the libraries."""
    assert str(version) == text


@pytest.mark.parametrize(
    "version",
    [
        KernelVersion(12),
        KernelVersion(code="1" * 64),
        KernelVersion(1, libraries=(("SimpleITK", "2.5.0"), ("torch", "2.1+cu121"))),
    ],
)
def test_a_kernel_and_its_version_are_one_text_in_records(version: KernelVersion) -> None:
    """It is read back as it was."""
    assert parse_kernel(version.of("lab.f")) == ("lab.f", version)


def test_a_number_alone_is_one_object() -> None:
    """Most operations of a plan share theirs."""
    assert numbered(2) is numbered(2)
    assert numbered(2) == KernelVersion(2)

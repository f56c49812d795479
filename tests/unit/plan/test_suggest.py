"""Which name was meant."""

from __future__ import annotations

from voxk8s.plan.suggest import nearest, nearest_kernel, suggest


def test_a_slip_is_found_among_thousands_of_long_names() -> None:
    """The nearest name is compared with, not all of them."""
    known = [f"a_long_name_of_some_value_in_this_program_{place}" for place in range(5000)]
    assert nearest("a_lnog_name_of_some_value_in_this_program_4711", known) == known[4711]
    assert nearest("x" * 5000, ["x" * 4999 + "y"]) is None


def test_hints_are_parts_of_messages() -> None:
    """They follow a `;`, and are empty where no name is near."""
    assert suggest("maks", ["mask", "scan"]) == "; did you mean 'mask'?"
    assert suggest("maks", ["threshold"]) == ""


def test_kernels_are_found_by_either_name() -> None:
    """A missing namespace is suggested; a typo may be in the bare or the qualified name."""
    known = ["default.addition", "vox1.near"]
    assert "'vox1'" in nearest_kernel("near", known)
    assert nearest_kernel("nera", known) == "; did you mean 'near' (vox1.near)?"
    assert nearest_kernel("vox1.nera", known) == "; did you mean 'vox1.near'?"

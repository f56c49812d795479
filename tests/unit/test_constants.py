"""Names that others rely on have the form that those others require."""

from __future__ import annotations

import re
from itertools import permutations
from typing import Any

import pytest

from voxk8s import constants


def _named(prefix: str) -> dict[str, Any]:
    return {name: value for name, value in vars(constants).items() if name.startswith(prefix)}


CONDITIONS = [
    constants.RECONCILING,
    constants.STALLED,
    constants.READY,
    constants.SUCCEEDED,
    constants.STORE_READY,
    constants.CLUSTER_READY,
    constants.DETERMINISTIC,
]


@pytest.mark.parametrize("prefix", ["REASON_", "ENV_", "LABEL_", "MANAGER_", "ENTRY_POINT_"])
def test_names_of_one_kind_are_distinct(prefix: str) -> None:
    """Two constants with one value would be one name with two meanings."""
    found = _named(prefix)
    assert len(found) > 1
    assert len({*found.values()}) == len(found)


@pytest.mark.parametrize("name", [*_named("REASON_").values(), *CONDITIONS])
def test_reasons_and_conditions_are_camel_case(name: str) -> None:
    """The API server accepts them in conditions, and users can search for them as one word."""
    assert re.fullmatch("([A-Z][a-z]+)+", name)


@pytest.mark.parametrize("name", _named("ENV_").values())
def test_environment_variables_are_upper_case(name: str) -> None:
    """Kubernetes and every shell can set them."""
    assert re.fullmatch("[A-Z][A-Z0-9_]*", name)


@pytest.mark.parametrize("name", _named("LABEL_").values())
def test_labels_have_the_prefix_of_their_owner(name: str) -> None:
    """A label is ours, one that Kubernetes recommends, or one that Kueue reads."""
    prefix, _, rest = name.partition("/")
    assert prefix in (constants.GROUP, "app.kubernetes.io", "kueue.x-k8s.io")
    assert re.fullmatch("[a-z][a-z-]{,62}", rest)


def test_folders_of_the_store_lie_apart() -> None:
    """No folder of the store is within another one."""
    folders = [*_named_folders()]
    assert len(folders) == 9
    assert not [
        (one, other) for one, other in permutations(folders, 2) if f"{one}/".startswith(f"{other}/")
    ]


def _named_folders() -> list[str]:
    return [value for name, value in vars(constants).items() if name.endswith("S_PREFIX")] + [
        constants.QUARANTINE_PREFIX
    ]


def test_suffixes_are_lower_case_with_their_dot() -> None:
    """They are compared with `file_suffix`, and no suffix both is and is not written."""
    suffixes = [*constants.IMAGE_SUFFIXES, *constants.READ_ONLY_IMAGE_SUFFIXES]
    assert all(re.fullmatch(r"\.[a-z]+(\.gz)?", suffix) for suffix in suffixes)
    assert len({*suffixes}) == len(suffixes)


def test_media_types_cannot_be_changed() -> None:
    """One module cannot change what the others see."""
    with pytest.raises(TypeError):
        constants.IMAGE_MEDIA_TYPES[".png"] = "text/plain"  # type: ignore[index]  # as intended

"""Inputs in volumes: what a claim has is read, and nothing that a link in it leads to."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.inputs.saved_images import save_image
from voxk8s.errors import InputNotAllowed, InputUnavailable
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.run.pin_inputs import digest_locally, pin_inputs
from voxk8s.inputs import volumes
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.listing import list_folder
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.locations import locate
from voxk8s.inputs.pinning import pin_input, stat
from voxk8s.inputs.volumes import Volumes
from voxk8s.plan import InputRef, OperationId, Role
from voxk8s.storage import open_store
from voxk8s.values import Image

RETRY = RetryPolicy(1, 0.0, 0.0)


def mounted(root: Path, namespace: str = "lab") -> InputOptions:
    """Return the options of a pod that has the claim `data` mounted, and no local inputs."""
    (root / "data").mkdir(exist_ok=True)
    return InputOptions(
        local_allowed=False,
        allowed_prefixes=("none:",),
        volumes=Volumes(namespace, ("data",), str(root)),
    )


def test_a_file_of_a_claim(tmp_path: Path) -> None:
    """It is read like any other, by names as they are, and its folder can be listed."""
    options = mounted(tmp_path)
    (tmp_path / "data" / "p 1").mkdir()
    save_image(tmp_path / "data" / "p 1" / "a.mha", 2.5)
    save_image(tmp_path / "data" / "p 1" / "b.mha", 1.5)
    found = list_folder("pvc://data", "*.mha", True, True, options=options)
    assert found.entries == ("pvc://data/p 1/a.mha", "pvc://data/p 1/b.mha")
    assert list_folder("pvc://data/p 1/", options=options).entries == ("a.mha", "b.mha")
    assert list_folder("pvc://data", options=options).entries == ()
    value = load_input(pin_input(found.entries[0], options), options)
    assert isinstance(value, Image)
    assert value.array.max() == 2.5


def test_what_is_not_mounted(tmp_path: Path) -> None:
    """The message says where claims are named; outside of a cluster, what to use instead."""
    with pytest.raises(InputNotAllowed, match=r"claim other is not mounted; add it to spec\.clus"):
        locate("pvc://other/a.nii", mounted(tmp_path))
    with pytest.raises(InputNotAllowed, match="here use the path"):
        locate("pvc://data/a.nii", InputOptions())
    with pytest.raises(InputUnavailable, match="it does not exist"):
        pin_input("pvc://data/a.nii", mounted(tmp_path))


def test_the_environment_names_claims_and_no_folder() -> None:
    """Whoever may set the variable chooses no other root."""
    env = {"VOXK8S_INPUT_VOLUMES": '{"namespace":"lab","claims":["data"],"root":"/proc"}'}
    found = InputOptions.from_env(env).volumes
    assert found == Volumes("lab", ("data",), volumes.FOLDER)
    assert InputOptions.from_env({}).volumes is None


@pytest.mark.parametrize(
    "url",
    ["pvc://data/../secret", "pvc://data/a/../../secret", "pvc://../secret", "pvc:///etc/passwd",
     "pvc://data/out", "pvc://data/out/secret", "pvc://data/file", "pvc://./data/x"],
)  # fmt: skip
def test_nothing_leads_out(tmp_path: Path, url: str) -> None:
    """Neither dots nor links, of files or folders, reach what else the pod has."""
    options = mounted(tmp_path)
    (tmp_path / "secret").write_text("key")
    (tmp_path / "data" / "out").symlink_to(tmp_path)
    (tmp_path / "data" / "file").symlink_to("../secret")
    with pytest.raises(InputNotAllowed):
        pin_input(url, options)


def test_links_inside_of_a_volume(tmp_path: Path) -> None:
    """They are followed: volumes are made with them, ConfigMaps for example."""
    options = mounted(tmp_path)
    (tmp_path / "data" / "a").write_text("content")
    (tmp_path / "data" / "b").symlink_to("a")
    assert pin_input("pvc://data/b", options).digest == pin_input("pvc://data/a", options).digest


def test_a_link_that_comes_between_check_and_opening(tmp_path: Path) -> None:
    """The file that was opened counts, and not the path that was checked."""
    base = tmp_path / "data"
    base.mkdir()
    (tmp_path / "secret").write_text("key")
    (tmp_path / "others").mkdir()
    (base / "a").symlink_to("../secret")
    (base / "d").symlink_to("../others")
    with (
        pytest.raises(InputNotAllowed, match="leads out of the volume"),
        volumes.open_file("pvc://data/a", str(base / "a"), str(base)),
    ):
        raise AssertionError("it was opened")
    with pytest.raises(InputNotAllowed, match="leads out of the volume"):
        list(volumes.names_below("pvc://data/d", str(base / "d"), str(base), recursive=True))


def test_pipes_do_not_hang(tmp_path: Path) -> None:
    """Only regular files have content; and no handle stays open."""
    options = mounted(tmp_path)
    os.mkfifo(tmp_path / "data" / "pipe")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(InputUnavailable, match="not a regular file"):
        pin_input("pvc://data/pipe", options)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_changed_file_is_never_used(tmp_path: Path) -> None:
    """What is decoded is the copy that was hashed, whoever writes to the volume meanwhile."""
    options = mounted(tmp_path)
    save_image(tmp_path / "data" / "a.mha", 1.0)
    pin = pin_input("pvc://data/a.mha", options)
    save_image(tmp_path / "data" / "a.mha", 2.0)
    with pytest.raises(InputUnavailable, match="changed since the run began"):
        load_input(pin, options)


def test_a_pin_of_another_namespace_is_not_used(tmp_path: Path) -> None:
    """Its claim has the same name and other files, whatever their sizes and times are."""
    store = open_store(f"memory://{secrets.token_hex(8)}", env={})
    ref = InputRef(OperationId("1" * 64), Role.LOAD, ("pvc://data/a",))

    def read(namespace: str) -> list[str]:
        options = mounted(tmp_path, namespace)
        asked: list[str] = []

        def digests(urls: Sequence[str]) -> list[object]:
            asked.extend(urls)
            return digest_locally(urls, options=options, retry=RETRY)

        pin_inputs([ref], options, store, digests, RETRY)
        return asked

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_text("content")
    assert [read("lab"), read("lab"), read("ward")] == [["pvc://data/a"], [], ["pvc://data/a"]]
    (tmp_path / "data" / "a").write_text("changed")
    assert read("lab") == ["pvc://data/a"]
    assert stat("pvc://data/a", mounted(tmp_path)).server == "pvc lab"

"""The page of a viewer."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from tests.support.html import Element, read_page
from voxk8s.values import Image
from voxk8s.viewer import Layer, make_layer, viewer_page
from voxk8s.viewer.panel import NIIVUE_SHA256, niivue

EVIL = "</script><img src=x onerror=alert(1)>"


def read(text: str) -> Element:
    """Read a page apart from the library in it."""
    assert niivue() in text
    return read_page(text.replace(niivue(), ""))


@pytest.fixture(scope="module")
def layer() -> Layer:
    """A small mask."""
    array = np.ones((3, 4, 5), np.uint8)
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    return make_layer("mask.nii", Image(array, (1.0,) * 3, (0.0,) * 3, identity), 1)


def test_the_library_is_the_published_one() -> None:
    """Byte for byte what its authors put on npm; it does not end its own element."""
    assert hashlib.sha256(niivue().encode()).hexdigest() == NIIVUE_SHA256
    assert "</script" not in niivue()


def test_all_is_in_the_page(layer: Layer) -> None:
    """Layers with their voxels and their pictures; nothing is fetched from anywhere."""
    text = viewer_page("two", [layer, layer])
    page = read(text)
    data, *_ = page.find("script")
    found = json.loads(data.text)
    assert [each["name"] for each in found] == ["mask.nii"] * 2
    assert base64.b64decode(found[0]["voxels"]) == layer.voxels
    assert len(page.find("figure")) == 2
    assert all(each.attributes["src"].startswith("data:") for each in page.find("img"))
    assert not page.find("link")
    assert not [each for each in page.find("script") if "src" in each.attributes]


def test_only_its_own_scripts_run(layer: Layer) -> None:
    """The policy names the hashes of both scripts, and permits no address but data."""
    text = viewer_page("one", [layer])
    policy = next(
        each.attributes["content"]
        for each in read(text).find("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    scripts = [part.split("</script>")[0] for part in text.split("<script>")[1:]]
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in unescape(policy)
    assert "http" not in policy


def test_names_are_shown_and_not_obeyed(layer: Layer) -> None:
    """A file may have any name."""
    page = read(viewer_page(EVIL, [replace(layer, name=EVIL)]))
    assert page.find("h1")[0].text == EVIL
    assert not [each for each in page.find("img") if each.attributes.get("src") == "x"]
    assert json.loads(page.find("script")[0].text)[0]["name"] == EVIL

"""The files of a new package of kernels: what a user starts from."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from typing import Final

from voxk8s.errors import InvalidUsage
from voxk8s.kernels.registry import RESERVED

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")

_PROJECT: Final = """\
[build-system]
requires = ["setuptools>=80"]
build-backend = "setuptools.build_meta"

[project]
name = "NAME-kernels"
version = "0.1.0"
description = "Kernels of the namespace NAME, for programs of VoxLogicA"
requires-python = ">=3.11"
# What the kernels need beside voxk8s and numpy, which are where this is installed.
dependencies = []

# By this voxk8s finds the kernels.
[project.entry-points."voxk8s.kernels"]
NAME = "NAME_kernels"

[tool.setuptools]
packages = ["NAME_kernels"]
"""

_MODULE: Final = '''\
"""Kernels of the namespace `NAME`.

The operator of a cluster imports this module too, and has nothing but voxk8s and numpy: import
other libraries inside of the functions that use them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from voxk8s.kernels import kernel
from voxk8s.values import Image


@kernel("NAME.window", version=1)
def window(image: Image, low: float, high: float) -> Image:
    """Return the image with `low` as 0, `high` as 1, and what is beyond cut off; float32.

    A kernel is pure: it changes no argument and depends on nothing else. Increase `version` when
    its values change: results are then computed again.
    """
    if not low < high:
        raise ValueError(f"window: expected low < high, got {low} and {high}")
    scaled = (image.array.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return replace(image, array=np.clip(scaled, 0, 1))
'''

_TEST: Final = '''\
"""Tests of the kernels: `call_kernel` calls them as a run does."""

from __future__ import annotations

import numpy as np
import pytest
import voxk8s
from voxk8s.kernel_testing import call_kernel
from voxk8s.values import Image


def image(rows: list[list[float]]) -> Image:
    """Return a 2-D image with pixels of 1 mm."""
    return Image(np.array(rows, np.float32), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))


def test_window_scales_and_cuts_off() -> None:
    """`low` becomes 0, `high` 1."""
    found = call_kernel("NAME.window", image([[0, 50, 100, 150]]), 50.0, 100.0)
    assert isinstance(found, Image)
    np.testing.assert_array_equal(found.array, [[0, 0, 1, 1]])


def test_window_refuses_an_empty_range() -> None:
    """The message says what was expected."""
    with pytest.raises(ValueError, match="expected low < high"):
        call_kernel("NAME.window", image([[0]]), 2.0, 1.0)


def test_a_program_uses_it() -> None:
    """Programs find the kernel by its name."""
    program = """
    import "vox1"
    import "geom"
    print "brightest" max(NAME.window(blank(4, 4, 75), 50, 100))
    """
    result = voxk8s.run(program, store=voxk8s.open_store("memory://"))
    assert result["brightest"] == 0.5
'''

_DOCKERFILE: Final = """\
# The images of a cluster with these kernels. Build both: the operator compiles programs, and finds
# the kernels in its own image.
#
#   docker build --target engine   -t REGISTRY/voxk8s-engine-NAME   .
#   docker build --target operator -t REGISTRY/voxk8s-operator-NAME .
ARG BASE_IMAGE=python:3.13-slim-trixie
ARG ENGINE_IMAGE=ghcr.io/voxk8s/engine:VERSION
ARG OPERATOR_IMAGE=ghcr.io/voxk8s/operator:VERSION

# The images of voxk8s have no pip: what they get is installed here, with the same Python (that of
# the BASE_IMAGE from which they were built), and copied to where they look for packages.
FROM ${BASE_IMAGE} AS packages
# Where packages come from, if not from pypi.org: --build-arg PIP_INDEX_URL=https://…
# An authority to trust: --secret id=host-ca,src=FILE --build-arg PIP_CERT=/run/secrets/host-ca
ARG PIP_INDEX_URL
ARG PIP_CERT
RUN python3 -m venv /venv
COPY . /source
RUN --mount=type=secret,id=host-ca \\
    /venv/bin/pip install --no-cache-dir --target /engine /source \\
    && /venv/bin/pip install --no-cache-dir --target /operator --no-deps /source

FROM ${ENGINE_IMAGE} AS engine
COPY --from=packages /engine /opt/voxk8s/site

# Without dependencies: the operator asks for names and types only, and computes nothing.
FROM ${OPERATOR_IMAGE} AS operator
COPY --from=packages /operator /opt/voxk8s/site
"""

_IGNORED: Final = """\
.git
.venv
build
*.egg-info
"""

_README: Final = """\
# NAME-kernels

Kernels of the namespace `NAME` for voxk8s.

On your machine, in the environment in which voxk8s is installed:

```sh
pip install --no-deps -e .
pytest
voxk8s kernels 'NAME.*'
voxk8s run example.imgql
```

On a cluster, build both images of the Dockerfile (`--build-arg ENGINE_IMAGE=…` and
`--build-arg OPERATOR_IMAGE=…` name those that the cluster has), and let the chart use them:

```sh
docker build --target engine -t REGISTRY/voxk8s-engine-NAME .
docker build --target operator -t REGISTRY/voxk8s-operator-NAME .
helm upgrade voxk8s helm/voxk8s -n voxk8s-system --reset-then-reuse-values \\
  --set image.engine=REGISTRY/voxk8s-engine-NAME --set image.operator=REGISTRY/voxk8s-operator-NAME
```
"""

_EXAMPLE: Final = """\
// What the kernel does with a grey image.
import "NAME"
import "vox1"
import "geom"

let grey = circle(blank(64, 64, 60), 32, 32, 20, 75)
print "brightest" max(window(grey, 50, 100))
save "window.nii.gz" window(grey, 50, 100)
"""


def package_files(name: str, release: str) -> Mapping[str, str]:
    """Return the files of a package for the namespace `name`, by their paths in its folder.

    `release` is the version of voxk8s whose images its images are made of. Raises InvalidUsage for
    a name that is no namespace, or one of voxk8s itself.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise InvalidUsage(
            f"expected a name of small letters, digits and _ such as lab, got {name!r}: it becomes"
            " the namespace of the kernels in programs"
        )
    if name in RESERVED:
        raise InvalidUsage(
            f"expected a name of your own, got {name}, a namespace of voxk8s"
            f" ({', '.join(sorted(RESERVED))})"
        )
    templates = {
        "pyproject.toml": _PROJECT,
        "NAME_kernels/__init__.py": _MODULE,
        "tests/test_NAME_kernels.py": _TEST,
        "example.imgql": _EXAMPLE,
        "Dockerfile": _DOCKERFILE,
        ".dockerignore": _IGNORED,
        "README.md": _README,
    }
    return {
        path.replace("NAME", name): text.replace("VERSION", release).replace("NAME", name)
        for path, text in templates.items()
    }

"""The chart's README: how to install it, and a table of its values made from values.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.tools.helm import CHART

_LINE = re.compile(r"(?P<indent> *)(?:# ?(?P<comment>.*)|(?P<key>[\w.-]+):(?: (?P<value>.*))?)")
_HEAD = """\
<!-- Made from values.yaml by `make generate`; do not edit. -->
# voxk8s

The operator that runs VoxLogicA work plans, its CRD, its rights and, if wanted, a small S3 server.

```sh
# What voxk8s starts its Dask clusters with:
helm install dask-kubernetes-operator dask-kubernetes-operator --namespace dask-operator \\
  --create-namespace --repo https://helm.dask.org
# voxk8s with an S3 server of its own, for trying out:
helm install voxk8s helm/voxk8s --namespace voxk8s-system --create-namespace \\
  --set s3.enabled=true --set 'store.allowedNamespaces={default}'
# or with your bucket:
helm install voxk8s helm/voxk8s --namespace voxk8s-system --create-namespace \\
  --set store.url=s3://bucket/prefix,store.endpoint=https://s3.example.org \\
  --set store.existingSecret=my-keys --set 'store.allowedNamespaces={default}'

helm test voxk8s --namespace voxk8s-system
```

The CRD is part of the release, so that an upgrade upgrades it, and stays when the release goes.
Every pod meets Pod Security "restricted". The chart refuses values that it does not know.

| value | default | meaning |
|---|---|---|
"""


def rows() -> Iterator[tuple[str, str, str]]:
    """Return path, default and meaning of every value; a group's words go to the group."""
    path: list[str] = []
    words: list[str] = []
    for line in (CHART / "values.yaml").read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if not line.strip() or match is None:
            words = []
            continue
        if match["comment"] is not None:
            words.append(match["comment"])
            continue
        path = [*path[: len(match["indent"]) // 2], match["key"]]
        value = match["value"]
        if value is not None or words:
            yield ".".join(path), value or "", " ".join(words)
        words = []


def readme() -> str:
    """Write the README."""
    lines = [
        f"| `{path}` | {f'`{value}`' if value else ''} | {meaning} |"
        for path, value, meaning in rows()
    ]
    return _HEAD + "\n".join(lines).replace("[*]", "\\[*]") + "\n"

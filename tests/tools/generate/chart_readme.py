"""The chart's README: installation, and tables of the values and of the operator's metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.tools.helm import CHART
from voxk8s.api.status import KernelWork, Outcome
from voxk8s.controller.metrics import Metrics

_LINE = re.compile(r"(?P<indent> *)(?:# ?(?P<comment>.*)|(?P<key>[\w.-]+):(?: (?P<value>.*))?)")
_HEAD = """\
<!-- Made from values.yaml by `make generate`; do not edit. -->
# voxk8s

The operator that runs VoxLogicA work plans, with its CRD and permissions, and optionally a small S3
server.

```sh
# Required: the dask-kubernetes operator, which starts Dask clusters:
helm install dask-kubernetes-operator dask-kubernetes-operator --namespace dask-operator \\
  --create-namespace --repo https://helm.dask.org
# voxk8s with a small S3 server, for evaluation:
helm install voxk8s helm/voxk8s --namespace voxk8s-system --create-namespace \\
  --set s3.enabled=true --set 'store.allowedNamespaces={default}'
# Or with your bucket:
helm install voxk8s helm/voxk8s --namespace voxk8s-system --create-namespace \\
  --set store.url=s3://bucket/prefix,store.endpoint=https://s3.example.org \\
  --set store.existingSecret=my-keys --set 'store.allowedNamespaces={default}'

helm test voxk8s --namespace voxk8s-system
```

The CRD is part of the release, so that `helm upgrade` updates it, and is kept on uninstallation.
All pods comply with Pod Security "restricted". The chart rejects unknown values.

| value | default | meaning |
|---|---|---|
"""
_METRICS = """
## Metrics

The operator serves them to Prometheus at `/metrics` of its port `metrics`. Finished runs are
counted by the operator that writes their end; each WorkPlan has its own in `status.outcome`.

| metric | labels | meaning |
|---|---|---|
"""


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield path, default and comment of every value; a comment above a group belongs to it."""
    path: list[str] = []
    comments: list[str] = []
    for line in (CHART / "values.yaml").read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if not line.strip() or match is None:
            comments = []
            continue
        if match["comment"] is not None:
            comments.append(match["comment"])
            continue
        path = [*path[: len(match["indent"]) // 2], match["key"]]
        value = match["value"]
        if value is not None or comments:
            yield ".".join(path), value or "", " ".join(comments)
        comments = []


def readme() -> str:
    """Return the README."""
    lines = [
        f"| `{path}` | {f'`{value}`' if value else ''} | {meaning} |"
        for path, value, meaning in rows()
    ]
    values = "\n".join(lines).replace("[*]", "\\[*]") + "\n"
    return _HEAD + values + _METRICS + "".join(metric_rows())


def metric_rows() -> Iterator[str]:
    """Yield the row of each metric."""
    metrics = Metrics()
    metrics.add_gauges(
        phases=lambda: ["Running"],
        queue_length=lambda: 0,
        resolve_backlog=lambda: 0,
        leading=lambda: True,
    )
    # Labels are seen where there is a value.
    metrics.count_run(
        Outcome(state="Succeeded", reason="", kernels=(KernelWork(kernel="vox1.near"),))
    )
    for family in metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        used = {label for sample in family.samples for label in sample.labels} - {"le"}
        labels = ", ".join(f"`{label}`" for label in sorted(used))
        yield f"| `{name}` | {labels} | {family.documentation} |\n"

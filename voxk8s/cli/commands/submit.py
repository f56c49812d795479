"""`voxk8s submit`: create a WorkPlan from a program, a plan document or a manifest."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import yaml

from voxk8s.cli.commands.results import write
from voxk8s.cli.commands.upload import base_name, upload
from voxk8s.cli.commands.watch import follow, teller
from voxk8s.cli.connection import exit_status, with_cluster
from voxk8s.cli.input_file import is_program, read_input, read_text
from voxk8s.cli.local_inputs import (
    check_local,
    content_name,
    local_inputs,
    refuse_local,
    relocate,
)
from voxk8s.cli.manifest import read_resources, work_plan
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.constants import API_VERSION, KIND, MANAGER_CLI
from voxk8s.describe import one_line
from voxk8s.errors import InvalidProgram, InvalidUsage
from voxk8s.inputs.confinement import local_path
from voxk8s.kernels import registry
from voxk8s.plan import WorkPlan, decode, to_resource
from voxk8s.plan.expectation import Expectation
from voxk8s.program import compile_program, compile_with_places

_LARGEST = 1_200_000
_NAME_LENGTH = 180


def run(arguments: argparse.Namespace) -> int:
    """Check FILE, create the WorkPlan, and print its name."""
    if arguments.upload:
        given = read_input(arguments)
        names = local_inputs(given.plan)
        check_local(names, given.plan, arguments)
        if arguments.dry_run and names:
            raise InvalidUsage("expected no --upload with --dry-run, which sends nothing")
        if names:
            return with_cluster(arguments, partial(_upload, arguments, names))
    body = manifest(arguments)
    if arguments.dry_run:
        yaml.dump(body, sys.stdout, _Dumper, sort_keys=False, allow_unicode=True)
        return 0
    return with_cluster(arguments, partial(_create, arguments, body))


async def _upload(
    arguments: argparse.Namespace, names: list[str], kube: KubeClient, namespace: str
) -> int:
    """Bring inputs to the store and create the WorkPlan that reads them there."""
    urls = await upload_inputs(kube, namespace, names, quiet=bool(arguments.quiet))
    return await _create(arguments, manifest(arguments, urls), kube, namespace)


async def upload_inputs(
    kube: KubeClient, namespace: str, names: Sequence[str], *, quiet: bool = False
) -> dict[str, str]:
    """Bring inputs of this machine to the store of a namespace; return their URLs by their names.

    Raises as `upload`.
    """
    # By where they go: a program may spell one file in two ways, and have copies of it.
    wanted: dict[tuple[str, str], str] = {}
    goes_to = {}
    for name in names:
        path = local_path(name)
        goes_to[name] = content_name(Path(path)), base_name(path)
        wanted.setdefault(goes_to[name], path)
    files = [(path, content) for (content, _), path in wanted.items()]
    urls = dict(zip(wanted, await upload(kube, namespace, files, quiet=quiet), strict=True))
    return {name: urls[place] for name, place in goes_to.items()}


def manifest(
    arguments: argparse.Namespace, urls: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the WorkPlan to create; raises InvalidPlan, InvalidProgram and InvalidUsage.

    If the file is a WorkPlan manifest, options override its fields, and its plan or program is
    checked. `urls` are where inputs of this machine are now.
    """
    path = Path(arguments.file)
    body = None if is_program(path) else _given(path)
    if body is None:
        body = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {}, "spec": {}}
        body["spec"] = _spec(arguments, path, urls or {})
    metadata = body.setdefault("metadata", {})
    if arguments.name:
        metadata["name"] = arguments.name
    elif not metadata.get("name") and not metadata.get("generateName"):
        metadata["generateName"] = f"{_slug(path.stem)}-"
    _lay_over(body.setdefault("spec", {}), arguments)
    check_size(body, str(path))
    return body


def check_size(body: Mapping[str, Any], name: str) -> None:
    """Raise InvalidUsage, with the name of the source, for a resource that is too large."""
    size = len(msgspec.json.encode(body))
    if size > _LARGEST:
        raise InvalidUsage(
            f"{name}: expected at most {_LARGEST:,} bytes for a resource, got {size:,}: upload"
            " it to an s3:// URL and use spec.source.url"
        )


def _spec(arguments: argparse.Namespace, path: Path, urls: Mapping[str, str]) -> dict[str, Any]:
    """Return the source of a file, with the expected values of a program that is compiled here."""
    given = read_input(arguments)
    text = read_text(path) if is_program(path) else None
    try:
        return spec_of(
            text,
            given.plan,
            dict(arguments.param),
            given.expectations,
            urls,
            skips=arguments.on_item_failure == "skip",
        )
    except InvalidUsage as error:
        raise InvalidUsage(f"{arguments.file}: {error}") from error


def spec_of(
    text: str | None,
    plan: WorkPlan,
    parameters: Mapping[str, str],
    expectations: Sequence[Expectation],
    urls: Mapping[str, str],
    *,
    skips: bool,
) -> dict[str, Any]:
    """Return the spec of a WorkPlan for a program, or for a plan without one.

    `plan` is what the program was compiled to here, `urls` are where its inputs of this machine are
    now, and `skips` is whether runs may leave out items of loops. Raises InvalidUsage for inputs
    that the cluster cannot read.
    """
    plan = relocate(plan, urls) if urls else plan
    refuse_local(local_inputs(plan))
    values = {name: urls.get(each, each) for name, each in parameters.items()}
    source = _source(text, plan, values, skips)
    if "program" in source or not expectations:
        return {"source": source}
    return {"source": source, "expect": [_expected(each) for each in expectations]}


def _expected(each: Expectation) -> dict[str, Any]:
    tolerance = {"within": each.within} if each.within else {}
    return {"goal": each.name, "value": each.value, **tolerance}


def _source(
    text: str | None, plan: WorkPlan, parameters: dict[str, str], skips: bool
) -> dict[str, Any]:
    if text is None:
        return {"plan": to_resource(plan)}
    source: dict[str, Any] = {"program": text}
    try:
        elsewhere = compile_with_places(text, parameters=parameters, skips=skips).plan
    except InvalidProgram:
        # It imports local files, which the cluster does not have: submit the compiled plan.
        return {"plan": to_resource(plan)}
    if elsewhere != plan:
        # Its own name is part of it, by `$stem` or the like; a resource has no file. Or it spells
        # out the path of what was uploaded.
        return {"plan": to_resource(plan)}
    if parameters:
        source["parameters"] = parameters
    return source


def _given(path: Path) -> dict[str, Any] | None:
    """Return the manifest in a file, or None if it holds something else."""
    resources = read_resources(read_text(path), yaml=path.suffix.lower() != ".json")
    if resources is None:
        return None
    body = work_plan(resources, str(path))
    if len(resources) > 1:
        raise InvalidUsage(
            f"{path}: expected only a WorkPlan, found other resources: use kubectl apply -f {path}"
        )
    spec = body.get("spec")
    source = spec.get("source") if isinstance(spec, dict) else None
    if isinstance(source, dict) and isinstance(source.get("plan"), dict):
        _refuse_in_manifest(decode(source["plan"], index=registry(), from_resource=True), path)
    if isinstance(source, dict) and isinstance(source.get("program"), str):
        plan = _check_program(source["program"], source.get("parameters"))
        _refuse_in_manifest(plan, path)
    return body


def _refuse_in_manifest(plan: WorkPlan, path: Path) -> None:
    names = local_inputs(plan)
    if names:
        raise InvalidUsage(
            f"{path}: the cluster cannot read {one_line(names[0])}, a file of this machine: bring"
            " it to the store by `voxk8s upload`, and write the URL that it prints into the"
            " manifest (--upload does so for programs and plan documents)"
        )


def _check_program(text: str, parameters: object) -> WorkPlan:
    """Compile a manifest's program; the API server validates the types of parameters."""
    given = parameters if isinstance(parameters, dict) else {}
    values = {str(name): value for name, value in given.items() if isinstance(value, str)}
    return compile_program(text, name="program", parameters=values)


class _Dumper(yaml.SafeDumper):
    """Writes strings of several lines, such as programs, in block style."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _lay_over(spec: dict[str, Any], arguments: argparse.Namespace) -> None:
    cluster: Mapping[str, Any] = {
        "minWorkers": arguments.min_workers,
        "maxWorkers": arguments.max_workers,
        "threadsPerWorker": arguments.threads,
        "image": arguments.image,
    }
    given = {name: value for name, value in cluster.items() if value is not None}
    if given:
        spec["cluster"] = {**(spec.get("cluster") or {}), **given}
    if arguments.output:
        spec["output"] = {"url": arguments.output}
    if arguments.cache:
        spec["cache"] = arguments.cache
    if arguments.on_item_failure:
        spec["onItemFailure"] = arguments.on_item_failure.capitalize()
    if arguments.fail_fast:
        spec["onFailure"] = "FailFast"


def _slug(stem: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:_NAME_LENGTH] or "workplan"


async def _create(
    arguments: argparse.Namespace, body: dict[str, Any], kube: KubeClient, namespace: str
) -> int:
    where = arguments.namespace or body["metadata"].get("namespace") or namespace
    created = await kube.create(WORK_PLANS, body, where, manager=MANAGER_CLI)
    name = str(created["metadata"]["name"])
    if not arguments.wait:
        print(name)
        return 0
    print(f"created WorkPlan {where}/{name}", file=sys.stderr)
    resource = await follow(kube, name, where, tell=teller(quiet=bool(arguments.quiet)))
    write(resource)
    return exit_status(resource)

"""Where a plan comes from: a WorkPlan's `spec.source`, and the way from its text to a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from voxk8s.api import Source
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import NotFound
from voxk8s.cluster.resources import CONFIG_MAPS
from voxk8s.errors import (
    InputNotAllowed,
    InputUnavailable,
    InputUnreachable,
    InvalidPlan,
    InvalidProgram,
    PermanentError,
    TransientError,
)
from voxk8s.imgql import CompiledProgram
from voxk8s.inputs.filesystems import convert_errors, file_system
from voxk8s.inputs.locations import locate
from voxk8s.inputs.options import InputOptions
from voxk8s.plan import KernelIndex, OperationId, WorkPlan, decode, inputs
from voxk8s.program import compile_with_places

Format = Literal["json", "yaml", "imgql"]
_DOCUMENT_LIMIT = 256 * 1024 * 1024
_SUFFIXES: Mapping[str, Format] = {
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".imgql": "imgql",
}


class SourceUnavailable(TransientError):
    """What holds the plan is not there, or not yet."""


class SourceDigestMismatch(PermanentError):
    """The document behind the URL is not the one whose digest the WorkPlan gives."""


@dataclass(frozen=True, slots=True)
class Document:
    """The text of a plan document or program; `inline` ones passed through the API server.

    `files` are what a program may import, by name: the other keys of its ConfigMap.
    """

    data: bytes
    format: Format
    name: str = "plan"
    inline: bool = False
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the text, as the status shows it."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"


async def read_source(kube: KubeClient, namespace: str, source: Source) -> Document | None:
    """Read a source that lies in the cluster; None for one that lies behind a URL.

    Raises SourceUnavailable while a ConfigMap or its key is missing.
    """
    if source.plan is not None:
        return Document(msgspec.json.encode(source.plan), "json", inline=True)
    if source.program is not None:
        return Document(source.program.encode("utf-8", "replace"), "imgql", "program")
    if source.config_map_ref is None:
        return None
    name, key = source.config_map_ref.name, source.config_map_ref.key
    try:
        found = await kube.get(CONFIG_MAPS, name, namespace)
    except NotFound as error:
        raise SourceUnavailable(
            f"ConfigMap {name} is not in namespace {namespace}; the WorkPlan waits for it"
        ) from error
    text = (found.get("data") or {}).get(key)
    if text is None:
        keys = ", ".join(sorted(found.get("data") or {})) or "none"
        raise SourceUnavailable(
            f"ConfigMap {name} has no key {key} (its keys: {keys}); the WorkPlan waits for it"
        )
    files = {other: str(content) for other, content in found["data"].items() if other != key}
    kind = document_format(key)
    return Document(
        str(text).encode("utf-8", "replace"), kind, key, files=files if kind == "imgql" else {}
    )


def check_url(url: str) -> None:
    """Refuse the URL of a document that no pod could read, or whose suffix says nothing.

    Raises InputNotAllowed for local paths and unknown schemes, else InvalidPlan.
    """
    try:
        locate(url, InputOptions(local_allowed=False))
    except InputUnavailable as error:
        raise InvalidPlan(str(error), "spec.source.url") from error
    document_format(url)


def fetch_document(url: str, options: InputOptions) -> Document:
    """Read a document behind a URL; raises SourceUnavailable, InputNotAllowed or InvalidPlan."""
    location = locate(url, options)
    kind = document_format(url)
    try:
        with convert_errors(location):
            system = file_system(location, options)
            size = int(system.info(location.path).get("size") or 0)
            if size > _DOCUMENT_LIMIT:
                raise InvalidPlan(f"{url} has {size} bytes: too large for a plan")
            data = bytes(system.cat_file(location.path))
    except (InputUnavailable, InputUnreachable) as error:
        raise SourceUnavailable(f"{error}; the WorkPlan waits for it") from error
    return Document(data, kind, url.rpartition("/")[2])


def document_format(name: str) -> Format:
    """Tell by its suffix what a document holds; raises InvalidPlan for any other suffix."""
    suffix = f".{name.rpartition('.')[2].lower()}" if "." in name else ""
    found = _SUFFIXES.get(suffix)
    if found is None:
        raise InvalidPlan(
            f"{name}: the suffix must say what it holds: .imgql, .json, .yaml or .yml"
        )
    return found


def check_digest(document: Document, digest: str | None) -> Document:
    """Give the document back; raises SourceDigestMismatch if it has another digest."""
    if digest is not None and document.digest != digest.lower():
        raise SourceDigestMismatch(
            f"{document.name} has the digest {document.digest}, the WorkPlan asks for {digest}"
        )
    return document


def read_plan(
    document: Document, parameters: Mapping[str, str] | None, index: KernelIndex
) -> WorkPlan:
    """Turn a document into a plan; raises InvalidPlan or InvalidProgram."""
    return read_plan_and_places(document, parameters, index)[0]


def read_plan_and_places(
    document: Document, parameters: Mapping[str, str] | None, index: KernelIndex
) -> tuple[WorkPlan, Mapping[OperationId, object]]:
    """Give a document's plan, and of a program the places that its operations come from.

    Raises InvalidPlan or InvalidProgram.
    """
    if document.format == "imgql":
        compiled = _compile(document, parameters or {}, index)
        return compiled.plan, compiled.origins
    if parameters:
        raise InvalidPlan("source.parameters are values for a program; a plan document has none")
    plan = decode(document.data, index=index, format=document.format, from_resource=document.inline)
    return plan, {}


def check_no_local_inputs(plan: WorkPlan, index: KernelIndex) -> None:
    """Refuse inputs on local paths, which no pod shares; raises InputNotAllowed with the URL."""
    for ref in inputs(plan, index):
        url = str(ref.arguments[0])
        if "://" not in url or url.lower().startswith("file:"):
            raise InputNotAllowed(
                f"input {url}: local paths and file:// URLs cannot be read in a cluster; put the"
                " file on S3 and give its s3:// URL"
            )


def _compile(
    document: Document, parameters: Mapping[str, str], index: KernelIndex
) -> CompiledProgram:
    try:
        text = document.data.decode()
    except UnicodeDecodeError as error:
        raise InvalidProgram(
            f"{document.name} is not UTF-8: byte {error.start} is wrong"
        ) from error
    return compile_with_places(
        text,
        name=document.name,
        parameters=parameters,
        read_file=lambda name: document.files[name],
        index=index,
    )

"""Reads `spec.source` of a WorkPlan and turns its document or program into a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from voxk8s.api.spec import Expected, Source
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import NotFound
from voxk8s.cluster.resources import CONFIG_MAPS
from voxk8s.constants import REASON_SOURCE_DIGEST_MISMATCH
from voxk8s.errors import (
    InputNotAllowed,
    InputUnavailable,
    InputUnreachable,
    InvalidPlan,
    InvalidProgram,
    PermanentError,
    TransientError,
)
from voxk8s.imgql import CompiledProgram, Diagnostic
from voxk8s.inputs.filesystems import convert_errors, file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate
from voxk8s.inputs.volumes import claim_of, is_volume_url, not_mounted
from voxk8s.plan import KernelIndex, OperationId, WorkPlan, decode, inputs
from voxk8s.plan.expectation import Expectation, check_printed
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
    """The ConfigMap, key or URL with the plan does not exist (yet)."""


class SourceDigestMismatch(PermanentError):
    """The document at `source.url` does not have the digest in `source.digest`."""

    failure_reason = REASON_SOURCE_DIGEST_MISMATCH


@dataclass(frozen=True, slots=True)
class Document:
    """A plan document or program.

    `inline` plans stood in the WorkPlan itself. `files` are the texts that a program may import, by
    name: the other keys of its ConfigMap. Errors quote only what is `quotable`: not what was read
    from a URL that anybody may name.
    """

    data: bytes
    format: Format
    name: str = "plan"
    inline: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    quotable: bool = True

    @property
    def digest(self) -> str:
        """SHA-256 of the data, as in `status.sourceDigest`."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """A plan and, if it was compiled from a program, its operations' places and expected values."""

    plan: WorkPlan
    places: Mapping[OperationId, object] = field(default_factory=dict)
    expectations: tuple[Expectation, ...] = ()

    def expected_also(self, given: Sequence[Expected]) -> tuple[Expectation, ...]:
        """Return the expected values of the program and those of `spec.expect`.

        Raises InvalidPlan for a value that is expected of a goal that is not printed.
        """
        more = tuple(Expectation(each.goal, each.value, each.within) for each in given)
        check_printed(more, self.plan, "spec.expect")
        return (*self.expectations, *more)


async def read_source(kube: KubeClient, namespace: str, source: Source) -> Document | None:
    """Read a source from the WorkPlan or its ConfigMap; returns None for a URL.

    Raises SourceUnavailable if the ConfigMap or its key does not exist.
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
            f"ConfigMap {name} not found in namespace {namespace}; waiting for it"
        ) from error
    text = (found.get("data") or {}).get(key)
    if text is None:
        keys = ", ".join(sorted(found.get("data") or {})) or "none"
        raise SourceUnavailable(
            f"ConfigMap {name} has no key {key} (its keys: {keys}); waiting for it"
        )
    files = {other: str(content) for other, content in found["data"].items() if other != key}
    doc_format = document_format(key)
    return Document(
        str(text).encode("utf-8", "replace"),
        doc_format,
        key,
        files=files if doc_format == "imgql" else {},
    )


def check_url(url: str) -> None:
    """Check the scheme and the suffix of the URL of a document.

    Raises InputNotAllowed for local paths and unknown schemes, InvalidPlan for other suffixes.
    """
    try:
        locate(url, InputOptions(local_allowed=False))
    except InputUnavailable as error:
        raise InvalidPlan(str(error), "spec.source.url") from error
    document_format(url)


def fetch_document(url: str, options: InputOptions) -> Document:
    """Download a document; raises SourceUnavailable, InputNotAllowed or InvalidPlan."""
    location = locate(url, options)
    doc_format = document_format(url)
    try:
        with convert_errors(location):
            system = file_system(location, options)
            size = int(system.info(location.path).get("size") or 0)
            if size > _DOCUMENT_LIMIT:
                raise InvalidPlan(f"{url} has {size} bytes; expected at most {_DOCUMENT_LIMIT}")
            data = bytes(system.cat_file(location.path))
    except (InputUnavailable, InputUnreachable) as error:
        raise SourceUnavailable(f"{error}; waiting for it") from error
    quotable = location.scheme == "s3" or options.address_rules.exempts(url)
    return Document(data, doc_format, url.rpartition("/")[2], quotable=quotable)


def document_format(name: str) -> Format:
    """Return the format of a document by its suffix; raises InvalidPlan for other suffixes."""
    suffix = f".{name.rpartition('.')[2].lower()}" if "." in name else ""
    found = _SUFFIXES.get(suffix)
    if found is None:
        raise InvalidPlan(f"{name}: expected a name that ends in .imgql, .json, .yaml or .yml")
    return found


def check_digest(document: Document, digest: str | None) -> Document:
    """Return the document; raises SourceDigestMismatch if it does not have the digest."""
    if digest is not None and document.digest != digest.lower():
        raise SourceDigestMismatch(
            f"{document.name}: expected the digest {digest}, found {document.digest}"
        )
    return document


def read_plan(
    document: Document, parameters: Mapping[str, str] | None, index: KernelIndex
) -> WorkPlan:
    """Return the plan of a document; raises InvalidPlan or InvalidProgram."""
    return read_source_plan(document, parameters, index).plan


def read_source_plan(
    document: Document,
    parameters: Mapping[str, str] | None,
    index: KernelIndex,
    *,
    on_item_failure: str = "Fail",
) -> SourcePlan:
    """Return the plan of a document and what its program says besides.

    `on_item_failure` is that of the spec. Raises InvalidPlan or InvalidProgram.
    """
    try:
        return _read_quoting(document, parameters, index, on_item_failure == "Skip")
    except (InvalidPlan, InvalidProgram) as error:
        if document.quotable:
            raise
        raise _unquoted(document, error) from None


def _unquoted(document: Document, error: InvalidPlan | InvalidProgram) -> PermanentError:
    """Return an error with the places of an error, but nothing of the document's content."""
    why = "its content is not shown, since anybody may name its URL; voxk8s check shows it"
    if isinstance(error, InvalidPlan):
        return InvalidPlan(f"{document.name}: not a valid plan document; {why}")
    found = [each for each in error.diagnostics if isinstance(each, Diagnostic)]
    places = ", ".join(f"{each.line}:{each.column}" for each in found[:20])
    at = f" (at {places})" if places else ""
    return InvalidProgram(f"{document.name}: not a valid program{at}; {why}")


def _read_quoting(
    document: Document,
    parameters: Mapping[str, str] | None,
    index: KernelIndex,
    skips: bool,
) -> SourcePlan:
    if document.format == "imgql":
        compiled = _compile(document, parameters or {}, index, skips)
        return SourcePlan(compiled.plan, compiled.origins, compiled.expectations)
    if parameters:
        raise InvalidPlan("source.parameters: a program has parameters, a plan document has none")
    plan = decode(document.data, index=index, format=document.format, from_resource=document.inline)
    return SourcePlan(plan)


def check_inputs(plan: WorkPlan, index: KernelIndex, claims: Iterable[str] = ()) -> None:
    """Check that pods find the inputs of a plan; raises InputNotAllowed.

    They share no local paths, and have only the `claims` mounted that the WorkPlan names.
    """
    mounted = frozenset(claims)
    for ref in inputs(plan, index):
        url = str(ref.arguments[0])
        if is_volume_url(url) and claim_of(url) not in mounted:
            raise not_mounted(url)
        if "://" not in url or url.lower().startswith("file:"):
            raise InputNotAllowed(
                f"input {url}: local paths and file:// URLs cannot be read in a cluster; upload the"
                " file to S3 and use its s3:// URL"
            )


def _compile(
    document: Document, parameters: Mapping[str, str], index: KernelIndex, skips: bool
) -> CompiledProgram:
    try:
        text = document.data.decode()
    except UnicodeDecodeError as error:
        raise InvalidProgram(
            f"{document.name}: expected UTF-8 text, found an invalid byte at {error.start}"
        ) from error
    return compile_with_places(
        text,
        name=document.name,
        parameters=parameters,
        read_file=lambda name: document.files[name],
        index=index,
        skips=skips,
    )

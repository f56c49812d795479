"""Finds kernels by name: the built-in ones, the users' own, and those of installed packages."""

from __future__ import annotations

import importlib
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from types import MappingProxyType
from typing import Final, cast

from voxk8s import constants
from voxk8s.errors import InvalidUsage
from voxk8s.failure import error_text
from voxk8s.kernels.devices import Device, best_device
from voxk8s.kernels.spec import KernelFunction, KernelSpec
from voxk8s.plan.signature import Signature
from voxk8s.settings import Settings

_log = logging.getLogger(__name__)

_TABLES: Final = (
    "voxk8s.kernels.default",
    "voxk8s.kernels.vox1",
    "voxk8s.kernels.strings",
    "voxk8s.kernels.arrays",
    "voxk8s.kernels.simpleitk",
)
_TEST_TABLE: Final = "voxk8s.kernels.testing"
_RESERVED: Final = frozenset(
    {"default", "vox1", "strings", "arrays", "simpleitk", "test", "voxk8s"}
)

_declared: Final[dict[str, KernelSpec]] = {}
_absent: Final[list[str]] = []
_lock: Final = threading.Lock()


class KernelRegistry:
    """Kernels by qualified name; implements `plan.KernelIndex`.

    What `declared` gains later is seen at once. Safe to use from several threads.
    """

    def __init__(
        self, built_in: Mapping[str, KernelSpec], declared: Mapping[str, KernelSpec] | None = None
    ) -> None:
        self._built_in = built_in
        self._declared = MappingProxyType({}) if declared is None else declared
        self._functions: dict[str, KernelFunction] = {}

    def find(self, name: str, imports: Sequence[str] = ()) -> Signature | None:
        """Look `name` up: as a qualified name, in `default`, then in `imports` in order."""
        found = self._get(name) if "." in name else None
        if found is None:
            found = self._get(f"default.{name}")
        for namespace in imports:
            if found is not None:
                break
            found = self._get(f"{namespace}.{name}")
        return None if found is None else found.signature

    def is_cheap(self, qualified: str) -> bool:
        """Whether computing a kernel costs less than a task or a request; False if unknown."""
        found = self._get(qualified)
        return found is not None and found.signature.cheap

    def names(self) -> Sequence[str]:
        """All qualified names, sorted."""
        return sorted({*self._built_in, *self._declared})

    def namespaces(self) -> Sequence[str]:
        """All namespaces, sorted; what a program may import."""
        return sorted({name.rpartition(".")[0] for name in self.names()})

    def absent(self) -> Sequence[str]:
        """Say which installed packages of kernels cannot be loaded, and why."""
        return tuple(_absent)

    def spec(self, qualified: str) -> KernelSpec:
        """Give the spec of a kernel; raises InvalidUsage if there is none."""
        found = self._get(qualified)
        if found is None:
            raise InvalidUsage(
                f"there is no kernel {qualified!r} in this process; is the package that brings it"
                f" installed here, with an entry point in the group"
                f" {constants.ENTRY_POINT_KERNELS!r}?"
                + "".join(f" {each}" for each in self.absent())
            )
        return found

    def function(self, qualified: str, device: Device | None = None) -> KernelFunction:
        """Give the function of a kernel, importing its module on first use.

        Without a device the best one of this process is taken.
        """
        spec = self.spec(qualified)
        chosen = spec.implementation_for(device or best_device())
        if not isinstance(chosen, str):
            return chosen
        known = self._functions.get(chosen)
        if known is not None:
            return known
        module, _, name = chosen.partition(":")
        if not module:
            raise InvalidUsage(f"kernel {qualified!r} is performed by the engine, not by a call")
        owner = importlib.import_module(module)
        # A module may make functions on demand (simpleitk does), by __getattr__.
        function = cast("KernelFunction", getattr(owner, name))
        self._functions[chosen] = function
        return function

    def _get(self, qualified: str) -> KernelSpec | None:
        return self._built_in.get(qualified) or self._declared.get(qualified)


def registry(settings: Settings | None = None) -> KernelRegistry:
    """Give the registry of this process.

    The `test` kernels are in it when `settings.test_kernels` is on; without settings the
    environment decides.
    """
    chosen = Settings.from_env(os.environ) if settings is None else settings
    return _registry(chosen.test_kernels)


def declare(spec: KernelSpec) -> None:
    """Add a user's kernel; raises InvalidUsage if its name is taken by another."""
    name = spec.signature.qualified
    if name.partition(".")[0] in _RESERVED:
        raise InvalidUsage(
            f"kernel {name!r}: the namespaces {', '.join(sorted(_RESERVED))} belong to voxk8s"
        )
    if spec.signature.version < 1:
        raise InvalidUsage(f"kernel {name!r}: version must be at least 1")
    with _lock:
        other = _declared.get(name)
        if other is not None and _home(other) != _home(spec):
            raise InvalidUsage(
                f"kernel {name!r} is declared twice: by {_home(other)} and by {_home(spec)}"
            )
        _declared[name] = spec


def _home(spec: KernelSpec) -> str:
    if isinstance(spec.implementation, str):
        return spec.implementation
    function = spec.implementation
    return f"{function.__module__}:{getattr(function, '__qualname__', function)}"


@cache
def _registry(test_kernels: bool) -> KernelRegistry:
    _load_entry_points()
    built_in: dict[str, KernelSpec] = {}
    for module in (*_TABLES, *([_TEST_TABLE] if test_kernels else [])):
        for spec in importlib.import_module(module).KERNELS:
            built_in[spec.signature.qualified] = spec
    return KernelRegistry(MappingProxyType(built_in), _declared)


@cache
def _load_entry_points() -> None:
    for entry in metadata.entry_points(group=constants.ENTRY_POINT_KERNELS):
        try:
            entry.load()
        except Exception as error:  # noqa: BLE001 a broken package must not take all others away
            package = entry.dist.name if entry.dist else entry.value
            cause = " ".join(error_text(error).split())
            _absent.append(f"the kernels of the package {package} cannot be loaded here: {cause}")
            _log.warning("%s", _absent[-1])
            _log.debug("entry point %s = %s", entry.name, entry.value, exc_info=error)

"""The registry of kernels: built-in ones, those of installed packages, and those of users."""

from __future__ import annotations

import importlib
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final, cast

from voxk8s import constants
from voxk8s.errors import InvalidUsage, KernelVersionMismatch
from voxk8s.failure import error_text
from voxk8s.kernels.devices import Device, best_device
from voxk8s.kernels.entry_points import entry_points
from voxk8s.kernels.kernel_spec import KernelFunction, KernelSpec, module_of
from voxk8s.kernels.libraries import installed_version, installed_versions
from voxk8s.kernels.worker_resources import Resources
from voxk8s.plan.kernel_version import KernelVersion, UnknownKernelVersion, numbered
from voxk8s.plan.signature import Signature
from voxk8s.settings import Settings

_log = logging.getLogger(__name__)

_TABLES: Final = (
    "voxk8s.kernels.default",
    "voxk8s.kernels.vox1",
    "voxk8s.kernels.strings",
    "voxk8s.kernels.arrays",
    "voxk8s.kernels.simpleitk",
    "voxk8s.kernels.sequences",
    "voxk8s.kernels.geom",
)
_TEST_TABLE: Final = "voxk8s.kernels.testing"
RESERVED: Final = frozenset(
    {"default", "vox1", "strings", "arrays", "simpleitk", "sequences", "geom", "test", "voxk8s"}
)
"""Namespaces that users cannot define kernels in."""

_registered: Final[dict[str, KernelSpec]] = {}
_load_errors: Final[list[str]] = []
_lock: Final = threading.Lock()


class KernelRegistry:
    """Kernels by qualified name; implements `plan.KernelIndex`.

    Kernels added to `registered` later are found at once. Thread-safe.
    """

    def __init__(
        self,
        built_in: Mapping[str, KernelSpec],
        registered: Mapping[str, KernelSpec] | None = None,
        image: Mapping[str, str] | None = None,
    ) -> None:
        """`image` are the versions of libraries in the image where kernels run, if elsewhere."""
        self._built_in = built_in
        self._registered = MappingProxyType({}) if registered is None else registered
        self._image = image
        self._functions: dict[str, KernelFunction] = {}
        self._libraries: dict[str, Mapping[str, str]] = {}
        self._codes: dict[str, dict[str, KernelFunction]] = {}

    def for_image(self, libraries: Mapping[str, str]) -> KernelRegistry:
        """Return the same kernels as an image has them with these versions of libraries.

        Their code there may be another one, so kernels that are versioned by it have no version.
        """
        return KernelRegistry(self._built_in, self._registered, libraries)

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

    def resources(self, qualified: str) -> Resources:
        """Return what a worker must offer to run a kernel; nothing if it is unknown."""
        found = self._get(qualified)
        return () if found is None else found.resources

    def version_of(self, signature: Signature) -> KernelVersion:
        """Return the full version of a kernel where it runs; raises UnknownKernelVersion."""
        qualified = signature.qualified
        versions = []
        for name in signature.libraries:
            found = installed_version(name) if self._image is None else self._image.get(name)
            if found is None:
                place = "environment" if self._image is None else "image, as far as is known here"
                raise UnknownKernelVersion(
                    f"kernel {qualified} needs {name}, which is not installed in its {place}"
                )
            versions.append((name, found))
        if not signature.version and self._image is not None:
            raise UnknownKernelVersion(
                f"the code of kernel {qualified} in the image of the run is not known here"
            )
        code = "" if signature.version else self.code(qualified)
        return KernelVersion(signature.version, code, tuple(versions))

    def code(self, qualified: str) -> str:
        """Return the digest of a user's kernel as it is now; empty for the kernels of voxk8s."""
        implementation = self.spec(qualified).implementation
        if isinstance(implementation, str):
            return ""
        # Most runs have no such kernels.
        from voxk8s.kernels.code_digest import code_digest
        from voxk8s.kernels.own_modules import own_modules

        is_own = own_modules(module_of(implementation), _packaged())
        try:
            found = code_digest(implementation, is_own)
        except RecursionError:
            raise InvalidUsage(
                f"kernel {qualified!r} has no version, and its code uses values that are nested too"
                " deep to compare; give it one: @kernel(…, version=1)"
            ) from None
        except Exception as error:
            # The code's values may be anything, such as proxies that refuse every question.
            raise InvalidUsage(
                f"kernel {qualified!r} has no version, and its code uses a value that cannot be"
                f" compared ({type(error).__name__}: {error}); give it one: @kernel(…, version=1)"
            ) from error
        # One entry for each state of the code in which it was used.
        self._codes.setdefault(qualified, {})[found] = implementation
        return found

    def recorded_code(self, qualified: str) -> str:
        """Return the digest of `code`, computed once for each definition of the kernel."""
        implementation = self.spec(qualified).implementation
        for digest, function in reversed(self._codes.get(qualified, {}).items()):
            if function is implementation:
                return digest
        return self.comparable_code(qualified)

    def comparable_code(self, qualified: str) -> str:
        """Return the digest of `code`; empty if the kernel has a version and no digest."""
        try:
            return self.code(qualified)
        except InvalidUsage:
            if not self.spec(qualified).signature.version:
                raise
            return ""

    def versioned(self) -> frozenset[str]:
        """Return the users' kernels whose results have the number of their version as a name."""
        return frozenset(
            name
            for name, spec in list(self._registered.items())
            if spec.signature.version and not isinstance(spec.implementation, str)
        )

    def require_version(self, qualified: str, version: KernelVersion) -> None:
        """Raise KernelVersionMismatch unless a kernel has the given version in this process.

        Computing the operations of a key with another version would give its name to other values.
        """
        spec = self.spec(qualified)
        signature = spec.signature
        if version.code and self._codes.get(qualified, {}).get(version.code) is spec.implementation:
            # The key was made in this process, or an earlier task has compared the code. Names that
            # the function uses may mean something else by now, but not to this run.
            own = KernelVersion(0, version.code, version.libraries)
        elif signature.version and not signature.libraries:
            own = numbered(signature.version)
        else:
            own = self.version_of(signature)
        if own != version:
            raise KernelVersionMismatch(
                f"kernel {qualified}: expected version {version}, from which the result's key was"
                f" made, found version {own} in this process; install the same packages where plans"
                " are started and on all workers"
            )

    def libraries(self, qualified: str) -> Mapping[str, str]:
        """Return the versions of the libraries that take part in a kernel's results."""
        found = self._libraries.get(qualified)
        if found is None:
            spec = self.spec(qualified)
            found = installed_versions((*spec.signature.libraries, *spec.uses))
            self._libraries[qualified] = found
        return found

    def names(self) -> Sequence[str]:
        """Return all qualified names, sorted."""
        return sorted({*self._built_in, *self._registered})

    def namespaces(self) -> Sequence[str]:
        """Return all namespaces that a program may import, sorted."""
        return sorted({name.rpartition(".")[0] for name in self.names()})

    def load_errors(self) -> Sequence[str]:
        """Return messages about the installed packages whose kernels cannot be loaded."""
        return tuple(_load_errors)

    def spec(self, qualified: str) -> KernelSpec:
        """Return the spec of a kernel; raise InvalidUsage if it is not registered."""
        found = self._get(qualified)
        if found is None:
            raise InvalidUsage(
                f"kernel {qualified!r} is not registered in this process; install the package that"
                f" defines it, with an entry point in the group {constants.ENTRY_POINT_KERNELS!r}"
                + "".join(f"; {each}" for each in self.load_errors())
            )
        return found

    def function(self, qualified: str, device: Device | None = None) -> KernelFunction:
        """Return the function of a kernel for a device, importing its module on first use.

        The default is the best device of this process.
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
            raise InvalidUsage(f"kernel {qualified!r} has no function: the engine executes it")
        owner = importlib.import_module(module)
        # Some modules create functions on demand, by __getattr__.
        function = cast("KernelFunction", getattr(owner, name))
        self._functions[chosen] = function
        return function

    def _get(self, qualified: str) -> KernelSpec | None:
        return self._built_in.get(qualified) or self._registered.get(qualified)


def registry(settings: Settings | None = None) -> KernelRegistry:
    """Return the registry of this process.

    It contains the `test` kernels if `settings.test_kernels` is on; the default settings are those
    of the environment.
    """
    if settings is None:
        return _registry_for(os.environ.get(constants.ENV_TEST_KERNELS, ""))
    return _registry(settings.test_kernels)


def register(spec: KernelSpec) -> None:
    """Register a user's kernel; raise InvalidUsage if its name is reserved or already in use."""
    name = spec.signature.qualified
    if name.partition(".")[0] in RESERVED:
        raise InvalidUsage(
            f"kernel {name!r}: expected a namespace of your own, got one that voxk8s reserves"
            f" ({', '.join(sorted(RESERVED))})"
        )
    with _lock:
        other = _registered.get(name)
        if other is not None and _function_name(other) != _function_name(spec):
            raise InvalidUsage(
                f"kernel {name!r} is defined twice: by {_function_name(other)} and by"
                f" {_function_name(spec)}"
            )
        _registered[name] = spec


@cache
def _packaged() -> frozenset[str]:
    """Return the top-level packages of the installed packages of kernels."""
    entries = entry_points(constants.ENTRY_POINT_KERNELS)
    return frozenset(entry.module.partition(".")[0] for entry in entries)


def _function_name(spec: KernelSpec) -> str:
    if isinstance(spec.implementation, str):
        return spec.implementation
    function = spec.implementation
    return f"{module_of(function)}:{getattr(function, '__qualname__', function)}"


@cache
def _registry_for(test_kernels: str) -> KernelRegistry:
    """Return the registry for a value of the variable; every task asks for it."""
    return _registry(Settings.from_env({constants.ENV_TEST_KERNELS: test_kernels}).test_kernels)


@cache
def _registry(test_kernels: bool) -> KernelRegistry:
    _load_entry_points()
    built_in: dict[str, KernelSpec] = {}
    for module in (*_TABLES, *([_TEST_TABLE] if test_kernels else [])):
        for spec in importlib.import_module(module).KERNELS:
            built_in[spec.signature.qualified] = spec
    return KernelRegistry(MappingProxyType(built_in), _registered)


@cache
def _load_entry_points() -> None:
    for entry in entry_points(constants.ENTRY_POINT_KERNELS):
        try:
            entry.load()
        except Exception as error:  # noqa: BLE001 a broken package must not affect the others
            package = entry.dist.name if entry.dist else entry.value
            cause = " ".join(error_text(error).split())
            _load_errors.append(f"the kernels of the package {package} cannot be loaded: {cause}")
            _log.warning("%s", _load_errors[-1])
            _log.debug("entry point %s = %s", entry.name, entry.value, exc_info=error)

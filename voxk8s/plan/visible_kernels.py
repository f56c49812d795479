"""The kernels that a plan can name, each looked up once."""

from __future__ import annotations

from voxk8s.errors import InvalidPlan
from voxk8s.plan.kernel_version import KernelVersion, numbered
from voxk8s.plan.signature import KernelIndex, Signature
from voxk8s.plan.suggest import clip, nearest_kernel, suggest


class VisibleKernels:
    """Kernels by the names that one plan may use for them, given its imports."""

    def __init__(self, index: KernelIndex, imports: tuple[str, ...]) -> None:
        self.index = index
        self.imports = imports
        self._found: dict[str, Signature | None] = {}
        self._versions: dict[str, KernelVersion] = {}

    def check_imports(self) -> None:
        """Raise InvalidPlan for an import of a namespace without kernels."""
        if not self.imports:
            return
        known = sorted({name.rpartition(".")[0] for name in self.index.names()})
        for place, name in enumerate(self.imports):
            if name not in known:
                hint = suggest(name, known)
                text = f"unknown namespace {clip(name)}{hint}{self._load_errors()}"
                raise InvalidPlan(text, f"$.imports[{place}]")

    def find(self, name: str) -> Signature | None:
        """Return a kernel by the name that the plan uses, or None."""
        if name not in self._found:
            self._found[name] = self.index.find(name, self.imports)
        return self._found[name]

    def require(self, name: str, path: str) -> Signature:
        """Return a kernel; raises InvalidPlan with the nearest name."""
        signature = self.find(name)
        if signature is None:
            hint = nearest_kernel(name, self.index.names())
            raise InvalidPlan(f"unknown kernel {clip(name)}{hint}{self._load_errors()}", path)
        return signature

    def version_of(self, signature: Signature) -> KernelVersion:
        """Return the full version of a kernel; raises UnknownKernelVersion.

        It stays the same for one plan, even if the kernel is defined again meanwhile.
        """
        if signature.version and not signature.libraries:
            return numbered(signature.version)
        name = signature.qualified
        if name not in self._versions:
            self._versions[name] = self.index.version_of(signature)
        return self._versions[name]

    def _load_errors(self) -> str:
        return "".join(f"; {each}" for each in self.index.load_errors())

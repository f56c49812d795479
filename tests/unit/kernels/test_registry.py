"""Tests of the registry: look-up by name, entry points, light imports."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import textwrap
from importlib import metadata
from pathlib import Path

import pytest

from voxk8s import compile_program, load_plan
from voxk8s.errors import InvalidPlan, InvalidProgram, InvalidUsage, KernelVersionMismatch
from voxk8s.kernels import kernel, registry
from voxk8s.kernels.kernel_spec import make_spec
from voxk8s.kernels.registry import KernelRegistry
from voxk8s.plan.kernel_version import KernelVersion, UnknownKernelVersion
from voxk8s.plan.signature import Role
from voxk8s.settings import Settings

registry_module = importlib.import_module("voxk8s.kernels.registry")


def _registry(*names: str) -> KernelRegistry:
    return KernelRegistry({name: make_spec(name, "any -> any", "m:f", "") for name in names})


def test_a_qualified_name_is_taken_as_it_is() -> None:
    """A name with a namespace finds that kernel, imported or not."""
    found = registry().find("vox1.near", ())
    assert found is not None
    assert found.qualified == "vox1.near"


def test_a_kernel_is_cheap_if_its_signature_says_so() -> None:
    """Kernels that are expensive or unknown are not cheap."""
    cheap = [
        name for name in ("default.addition", "vox1.near", "no.such") if registry().is_cheap(name)
    ]
    assert cheap == ["default.addition"]


def test_default_comes_before_imports() -> None:
    """A bare name is looked up in default first, whatever is imported."""
    found = _registry("default.f", "a.f").find("f", ("a",))
    assert found is not None
    assert found.qualified == "default.f"


def test_imports_are_searched_in_order() -> None:
    """Of two imported namespaces with one name the first wins."""
    found = _registry("a.f", "b.f").find("f", ("b", "a"))
    assert found is not None
    assert found.qualified == "b.f"


def test_a_namespace_that_is_not_imported_is_not_searched() -> None:
    """A bare name finds nothing in namespaces that the plan does not import."""
    assert registry().find("near", ()) is None
    assert registry().find("near", ("vox1",)) is not None


def test_namespaces_may_be_nested() -> None:
    """A namespace may itself have dots."""
    found = _registry("lab.heart.f").find("f", ("lab.heart",))
    assert found is not None


def test_the_full_version_names_installed_libraries() -> None:
    """Those that define the values of a kernel, with their versions."""
    otsu = registry().spec("vox1.otsu").signature
    itk = metadata.version("SimpleITK")
    assert registry().version_of(otsu) == KernelVersion(1, libraries=(("SimpleITK", itk),))


def test_a_kernel_whose_library_is_missing_has_no_version() -> None:
    """The error names kernel and library."""
    found = KernelRegistry({"a.f": make_spec("a.f", "-> any", "m:f", "", libraries=("absent",))})
    with pytest.raises(UnknownKernelVersion, match=r"kernel a\.f needs absent"):
        found.version_of(found.spec("a.f").signature)


def test_kernels_of_another_image_have_the_libraries_of_that_image() -> None:
    """What is installed in this process says nothing of them."""
    elsewhere = registry().for_image({"SimpleITK": "9.9"})
    otsu = registry().spec("vox1.otsu").signature
    assert elsewhere.version_of(otsu) == KernelVersion(1, libraries=(("SimpleITK", "9.9"),))
    with pytest.raises(UnknownKernelVersion, match="SimpleITK"):
        registry().for_image({}).version_of(otsu)


def test_code_in_another_image_is_not_known() -> None:
    """It may be of another version of its package."""

    @kernel("unit_elsewhere.f")
    def f(x: float) -> float:
        return x

    signature = registry().spec("unit_elsewhere.f").signature
    with pytest.raises(UnknownKernelVersion, match=r"the code of kernel unit_elsewhere\.f"):
        registry().for_image({}).version_of(signature)


@pytest.mark.parametrize(
    ("name", "version", "is_own"),
    [
        ("vox1.slic", KernelVersion(2, libraries=(("SimpleITK", "0.1"),)), False),
        ("vox1.slic", KernelVersion(2), False),
        ("vox1.near", KernelVersion(1), True),
        ("vox1.near", KernelVersion(2), False),
    ],
)
def test_a_kernel_of_another_version_is_refused(
    name: str, version: KernelVersion, is_own: bool
) -> None:
    """A key's version must be that of this process, libraries included."""
    if is_own:
        registry().require_version(name, version)
        return
    with pytest.raises(KernelVersionMismatch, match=f"{name}: expected version {version}"):
        registry().require_version(name, version)


def test_a_key_that_this_process_made_from_code_is_accepted_in_its_run() -> None:
    """What the function refers to may change meanwhile; another definition is refused."""
    space: dict[str, object] = {"kernel": kernel, "__name__": "__main__"}
    text = "FACTOR = 1\n@kernel('unit_code.f')\ndef f(x):\n    return x * FACTOR\n"
    exec(text, space)
    version = registry().version_of(registry().spec("unit_code.f").signature)
    space["FACTOR"] = 2
    registry().require_version("unit_code.f", version)
    assert registry().version_of(registry().spec("unit_code.f").signature) != version
    registry().require_version("unit_code.f", version)
    exec(text.replace("x * FACTOR", "x"), space)
    with pytest.raises(KernelVersionMismatch, match=r"version of code .* found version of code"):
        registry().require_version("unit_code.f", version)


def test_only_kernels_of_users_have_digests_of_code() -> None:
    """Those of voxk8s have versions, which change when their values do."""

    @kernel("unit_code.g", version=1)
    def g(x: float) -> float:
        return x

    assert registry().code("vox1.near") == ""
    assert len(registry().code("unit_code.g")) == 64
    assert registry().recorded_code("unit_code.g") == registry().code("unit_code.g")


def test_records_name_libraries_that_define_values_and_that_compute_them() -> None:
    """And Python and NumPy, of which every kernel makes use."""
    assert registry().libraries("vox1.slic").keys() == {"SimpleITK", "numpy", "python"}
    assert registry().libraries("default.load").keys() == {"SimpleITK", "numpy", "pillow", "python"}


def test_kernels_that_itk_computes_name_it() -> None:
    """All kernels of modules that call SimpleITK's filters have its version in their keys."""
    modules: dict[str, set[tuple[str, ...]]] = {}
    for table in registry_module._TABLES:
        for spec in importlib.import_module(table).KERNELS:
            module = str(spec.implementation).partition(":")[0]
            modules.setdefault(module, set()).add(spec.signature.libraries)
    modules.pop("")
    for module, libraries in modules.items():
        found = importlib.util.find_spec(module)
        assert found is not None
        calls_itk = "import SimpleITK" in Path(str(found.origin)).read_text("utf-8")
        assert libraries == ({("SimpleITK",)} if calls_itk else {()}), module


def test_names_are_sorted() -> None:
    """All names come sorted, for suggestions."""
    names = registry().names()
    assert list(names) == sorted(names)
    assert "default.addition" in names


@pytest.mark.parametrize("wanted", [True, False])
def test_test_kernels_need_the_setting(wanted: bool) -> None:
    """The test kernels are registered only when the setting is on."""
    found = registry(Settings(test_kernels=wanted)).find("test.identity", ())
    assert (found is not None) is wanted


def test_every_built_in_kernel_can_be_called_as_declared() -> None:
    """Each built-in implementation exists and takes the numbers of arguments of its signature."""
    import inspect

    all_kernels = registry(Settings(test_kernels=True))
    for name in all_kernels.names():
        built_in = all_kernels.spec(name)
        if not isinstance(built_in.implementation, str) or not built_in.implementation:
            continue
        if name.startswith("simpleitk."):
            continue  # made on demand, tested on its own
        function = all_kernels.function(name)
        signature = built_in.signature
        inspect.signature(function).bind(*[None] * signature.minimum)
        most = signature.minimum + 5 if signature.maximum is None else signature.maximum
        inspect.signature(function).bind(*[None] * most)
        with pytest.raises(TypeError):
            inspect.signature(function).bind(*[None] * (most + 1), key=None)
        assert built_in.doc, name
        assert inspect.getdoc(function), name


def test_the_registry_imports_nothing_heavy() -> None:
    """Finding every signature needs neither numpy nor a library of kernels."""
    script = """
        import sys
        from voxk8s.kernels import registry
        found = registry()
        for name in found.names():
            assert found.find(name, ()) is not None
        heavy = {"numpy", "scipy", "SimpleITK", "numba", "dask", "fsspec"}
        print(sorted(heavy & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_engine_roles() -> None:
    """Loads, listings, maps and geometry say so in their signatures."""
    roles = {
        "default.load": Role.LOAD,
        "default.dir": Role.LISTING,
        "default.map": Role.MAP,
        "default.fold": Role.FOLD,
        "voxk8s.save": Role.SAVE,
        "vox1.border": Role.GEOMETRY,
    }
    for name, role in roles.items():
        assert registry().spec(name).signature.role is role


def test_what_the_engine_performs_has_no_function() -> None:
    """Asking for the function of a load is a mistake of the caller."""
    with pytest.raises(InvalidUsage, match="the engine executes it"):
        registry().function("default.load")


def test_a_missing_kernel_names_the_entry_point_group() -> None:
    """A worker without the user's package says what is missing."""
    with pytest.raises(InvalidUsage, match=r"lab\.f.*voxk8s\.kernels"):
        registry().function("lab.f")


def test_installed_packages_bring_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module named by an entry point is imported, and its kernels are found."""
    (tmp_path / "unit_packaged.py").write_text(
        "from voxk8s.kernels import kernel\n"
        "@kernel('unit_packaged.f', version=2)\n"
        "def f(number: float) -> float:\n"
        "    return number + 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    entry = metadata.EntryPoint("mine", "unit_packaged", "voxk8s.kernels")
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [entry])
    registry_module._load_entry_points.__wrapped__()
    assert registry().function("unit_packaged.f")(1.0) == 2.0


def test_a_broken_package_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An entry point that cannot be loaded is one line of the log, and the error of its kernels."""
    broken = metadata.EntryPoint("bad", "no_such_module_anywhere", "voxk8s.kernels")
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [broken])
    monkeypatch.setattr(registry_module, "_load_errors", [])
    with caplog.at_level("WARNING", "voxk8s"):
        registry_module._load_entry_points.__wrapped__()
    why = (
        "the kernels of the package no_such_module_anywhere cannot be loaded:"
        " ModuleNotFoundError: No module named 'no_such_module_anywhere'"
    )
    assert [(each.message, each.exc_info) for each in caplog.records] == [(why, None)]
    assert registry().find("addition", ()) is not None
    with pytest.raises(InvalidUsage, match=why):
        registry().function("lab.f")
    with pytest.raises(InvalidPlan, match=why):
        load_plan({"nodes": [], "goals": [], "imports": ["lab"]})
    for text in ('import "lab"', 'print "a" measure(1)', 'print "a" lab.measure(1)'):
        with pytest.raises(InvalidProgram, match=why):
            compile_program(text)


def test_a_value_that_is_nested_too_deep_asks_for_a_version() -> None:
    """Its code cannot be compared, which is one message."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    @kernel("unit_deep.it")
    def it(x: float) -> float:
        return x + len(deep)

    with pytest.raises(InvalidUsage, match=r"unit_deep\.it.*nested too deep.*version=1"):
        registry().code("unit_deep.it")
    while deep:  # taken apart before the collector has to
        deep = deep.pop()  # type: ignore[assignment]  # lists all the way


class _Proxy:
    """Refuses every question, as a proxy does outside of its context."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError("working outside of a context")


_proxy: object = _Proxy()


def test_a_value_that_cannot_be_compared_asks_for_a_version() -> None:
    """A kernel with one has no digest, and runs all the same."""

    def it(x: float) -> float:
        return x if _proxy is not None else 0.0

    kernel("unit_proxy.it")(it)
    kernel("unit_proxy.that", version=1)(it)
    with pytest.raises(InvalidUsage, match=r"unit_proxy\.it.*outside of a context.*version=1"):
        registry().code("unit_proxy.it")
    assert registry().comparable_code("unit_proxy.that") == ""

"""The kernels of the namespace `vox1`: spatial logic on images."""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.kernel_spec import CostHint, KernelSpec, make_spec
from voxk8s.plan.signature import Role

_ELEMENTWISE: Final = frozenset(
    {
        *("and", "or", "not", "diff", "mask", "abs"),
        *("geq_sv", "leq_sv", "gt_sv", "lt_sv", "eq_sv", "between"),
        *("add_vs", "mul_vs", "sub_vs", "sub_sv", "div_vs", "div_sv"),
    }
)


def _row(
    name: str,
    types: str,
    function: str,
    per_megavoxel: float,
    doc: str,
    role: Role = Role.COMPUTE,
    version: int = 1,
) -> KernelSpec:
    return make_spec(
        f"vox1.{name}",
        types,
        f"voxk8s.kernels.vox1.{function}",
        doc,
        version=version,
        role=role,
        cost=CostHint(seconds=5e-5, per_megavoxel=per_megavoxel),
        elementwise=name in _ELEMENTWISE,
    )


def _scalar(name: str, types: str, doc: str) -> KernelSpec:
    return make_spec(
        f"vox1.{name}",
        types,
        f"voxk8s.kernels.vox1.typed_arithmetic:{name}",
        doc,
        cheap=True,
        cost=CostHint(seconds=3e-6),
    )


# Seconds a million voxels as measured on one core of 2.5 GHz or so; see tests/bench.
KERNELS: Final[tuple[KernelSpec, ...]] = (
    # neighbourhood and connectivity
    _row("near", "mask -> mask", "box_morphology:near", 4e-4, "Dilation by the box"),
    _row("interior", "mask -> mask", "box_morphology:interior", 5e-4, "Erosion by the box"),
    _row(
        "through", "mask mask -> mask", "connectivity:through", 2e-3, "Components of b that meet a"
    ),
    _row(
        "touch", "mask mask -> mask", "connectivity:touch", 2.5e-3, "Components of a that touch b"
    ),
    _row("grow", "mask mask -> mask", "connectivity:grow", 2.5e-3, "a and what of b touches it"),
    _row(
        "mayReach",
        "mask mask -> mask",
        "connectivity:may_reach",
        3e-3,
        "Where paths through b may reach a",
    ),
    _row(
        "surrounded",
        "mask mask -> mask",
        "connectivity:surrounded",
        3.5e-3,
        "Where b cannot be avoided on the way out of a",
    ),
    _row("maxvol", "mask -> mask", "connectivity:maxvol", 2.5e-3, "The largest component"),
    _row("lcc", "mask -> image", "connectivity:lcc", 2e-3, "Labels of components"),
    # distance
    _row("dt", "mask -> image", "distance_maps:dt", 3e-2, "Signed distance in mm"),
    _row("pdt", "mask -> image", "distance_maps:pdt", 3e-2, "Distance in mm, 0 inside"),
    _row("distleq", "number mask -> mask", "distance_maps:distleq", 1e-2, "At most r mm away"),
    _row("distgeq", "number mask -> mask", "distance_maps:distgeq", 1e-2, "At least r mm away"),
    _row(
        "smoothen", "mask number -> mask", "distance_maps:smoothen", 2e-2, "Smoothing by a radius"
    ),
    _row("erode", "mask number -> mask", "distance_maps:erode", 1e-2, "Erosion by a radius in mm"),
    _row(
        "dilate", "mask number -> mask", "distance_maps:dilate", 1e-2, "Dilation by a radius in mm"
    ),
    _row(
        "imopen", "mask number -> mask", "distance_maps:imopen", 2e-2, "Opening by a radius in mm"
    ),
    _row(
        "imclose", "mask number -> mask", "distance_maps:imclose", 2e-2, "Closing by a radius in mm"
    ),
    # boolean operators and thresholds
    _row("and", "mask mask -> mask", "boolean:and_", 2e-4, "In both"),
    _row("or", "mask mask -> mask", "boolean:or_", 2e-4, "In one or both"),
    _row("not", "mask -> mask", "boolean:not_", 1e-4, "Not in a"),
    _row("diff", "mask mask -> mask", "boolean:diff", 2e-4, "In a and not in b"),
    _row("geq_sv", "number image -> mask", "threshold:geq_sv", 2e-4, "Where i >= v"),
    _row("leq_sv", "number image -> mask", "threshold:leq_sv", 2e-4, "Where i <= v"),
    _row("gt_sv", "number image -> mask", "threshold:gt_sv", 2e-4, "Where i > v"),
    _row("lt_sv", "number image -> mask", "threshold:lt_sv", 2e-4, "Where i < v"),
    _row("eq_sv", "number image -> mask", "threshold:eq_sv", 2e-4, "Where i = v"),
    _row(
        "between", "number number image -> mask", "threshold:between", 4e-4, "Where lo <= i <= hi"
    ),
    # images of a geometry
    _row(
        "border",
        "image* -> mask",
        "image_sources:border",
        1e-4,
        "The outermost voxels",
        Role.GEOMETRY,
    ),
    _row("x", "image* -> image", "image_sources:x", 5e-4, "Indices along x", Role.GEOMETRY),
    _row("y", "image* -> image", "image_sources:y", 5e-4, "Indices along y", Role.GEOMETRY),
    _row("z", "image* -> image", "image_sources:z", 5e-4, "Indices along z", Role.GEOMETRY),
    _row("tt", "image* -> mask", "image_sources:tt", 1e-4, "The full mask", Role.GEOMETRY),
    _row("ff", "image* -> mask", "image_sources:ff", 1e-4, "The empty mask", Role.GEOMETRY),
    _row(
        "constant",
        "number image* -> image",
        "image_sources:constant",
        4e-4,
        "k everywhere",
        Role.GEOMETRY,
    ),
    _row(
        "bconstant",
        "bool image* -> mask",
        "image_sources:bconstant",
        1e-4,
        "b everywhere",
        Role.GEOMETRY,
    ),
    # colour
    _row("intensity", "image -> image", "colour:intensity", 2e-3, "One channel as float32"),
    _row("red", "image -> image", "colour:red", 1e-3, "The red channel"),
    _row("green", "image -> image", "colour:green", 1e-3, "The green channel"),
    _row("blue", "image -> image", "colour:blue", 1e-3, "The blue channel"),
    _row("alpha", "image -> image", "colour:alpha", 1e-3, "The alpha channel"),
    _row("rgb", "image image image -> image", "colour:rgb", 1e-2, "A colour image"),
    _row(
        "rgba",
        "image image image image -> image",
        "colour:rgba",
        1.5e-2,
        "A colour image with alpha",
    ),
    _row("mask", "image mask -> image", "colour:mask", 1e-3, "i where m is true, else 0"),
    # measures
    _row("volume", "mask -> number", "measurements:volume", 1e-4, "Number of true voxels"),
    _row("avg", "image mask -> number", "measurements:avg", 1e-3, "Mean where m is true"),
    _row("avg0", "image mask -> number", "measurements:avg0", 1e-3, "Mean where m is true, or 0"),
    _row("min", "image -> number", "measurements:min_", 3e-4, "The smallest value"),
    _row("max", "image -> number", "measurements:max_", 3e-4, "The largest value"),
    _row("abs", "image -> image", "measurements:abs_", 1e-3, "Absolute values"),
    _row(
        "percentiles",
        "image mask number -> image",
        "measurements:percentiles",
        1e-2,
        "Ranks within the mask",
    ),
    # arithmetic and comparisons by the kinds of their operands
    _scalar("num_add", "number number -> number", "a + b"),
    _scalar("num_sub", "number number -> number", "a - b"),
    _scalar("num_mul", "number number -> number", "a * b"),
    _scalar("num_div", "number number -> number", "a / b"),
    _scalar("num_eq", "number number -> bool", "a = b"),
    _scalar("num_neq", "number number -> bool", "a is not b"),
    _scalar("num_lt", "number number -> bool", "a < b"),
    _scalar("num_leq", "number number -> bool", "a <= b"),
    _scalar("num_gt", "number number -> bool", "a > b"),
    _scalar("num_geq", "number number -> bool", "a >= b"),
    _scalar("bool_and_scalar", "bool bool -> bool", "a and b"),
    _scalar("bool_or_scalar", "bool bool -> bool", "a or b"),
    _scalar("bool_not_scalar", "bool -> bool", "not a"),
    _row("add_vs", "image number -> image", "typed_arithmetic:add_vs", 1e-3, "i + k"),
    _row("mul_vs", "image number -> image", "typed_arithmetic:mul_vs", 1e-3, "i * k"),
    _row("sub_vs", "image number -> image", "typed_arithmetic:sub_vs", 1e-3, "i - k"),
    _row("sub_sv", "number image -> image", "typed_arithmetic:sub_sv", 1e-3, "k - i"),
    _row("div_vs", "image number -> image", "typed_arithmetic:div_vs", 1e-3, "i / k"),
    _row("div_sv", "number image -> image", "typed_arithmetic:div_sv", 1e-3, "k / i"),
    # second names
    _row("vol", "mask -> number", "measurements:volume", 1e-4, "Another name of volume"),
    _row("Lcc", "mask -> image", "connectivity:lcc", 2e-3, "Another name of lcc"),
    # filters, texture and surfaces
    _row(
        "otsu",
        "image mask number -> mask",
        "itk_filters:otsu",
        2e-2,
        "Two classes by Otsu's threshold",
    ),
    _row("gradient", "image -> image", "itk_filters:gradient", 5e-2, "Magnitude of the gradient"),
    _row("n4", "image mask -> image", "itk_filters:n4", 10, "Bias field correction"),
    _row("slic", "image number number -> image", "itk_filters:slic", 1, "Superpixels", version=2),
    _row(
        "extract", "image sequence sequence -> image", "cropping:extract", 1e-3, "A box of an image"
    ),
    _row("fillholes", "mask -> mask", "connectivity:fillholes", 3e-3, "Holes filled"),
    _row("label_mean", "image image -> image", "measurements:label_mean", 0.1, "Means by label"),
    _row(
        "crossCorrelation",
        "number image image mask number number number -> image",
        "texture:cross_correlation",
        1,
        "Similarity of local histograms",
    ),
    _row(
        "hd95",
        "mask mask -> number",
        "surface_distances:hd95",
        5e-2,
        "95th percentile of surface distances",
    ),
    _row(
        "nsd",
        "mask mask number -> number",
        "surface_distances:nsd",
        5e-2,
        "Share of surfaces that are close",
    ),
)

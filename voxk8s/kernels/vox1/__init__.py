"""The kernels of the namespace `vox1`: spatial logic on images."""

from __future__ import annotations

from functools import partial
from typing import Final

from voxk8s.kernels.kernel_spec import KernelSpec, make_specs
from voxk8s.plan.signature import Role

_rows = partial(make_specs, "vox1", seconds=5e-5)

# Seconds for a million voxels as measured on one core of 2.5 GHz or so; see tests/tools/bench.
KERNELS: Final[tuple[KernelSpec, ...]] = (
    *_rows(
        "box_morphology",
        ("near", "mask -> mask", 5e-5, "Dilation by the box"),
        ("interior", "mask -> mask", 5e-5, "Erosion by the box"),
    ),
    *_rows(
        "connectivity",
        ("through", "mask mask -> mask", 3e-4, "Components of b that meet a"),
        ("touch", "mask mask -> mask", 4e-4, "Components of a that touch b"),
        ("grow", "mask mask -> mask", 2e-4, "a and what of b touches it"),
        ("mayReach", "mask mask -> mask", 4e-4, "Where paths through b may reach a", "may_reach"),
        (
            "surrounded",
            "mask mask -> mask",
            8e-4,
            "Where b cannot be avoided on the way out of a",
        ),
        ("maxvol", "mask -> mask", 1e-4, "The largest component"),
        ("lcc", "mask -> image", 4e-4, "Labels of components"),
        ("Lcc", "mask -> image", 4e-4, "Another name of lcc", "lcc"),
        ("fillholes", "mask -> mask", 3e-4, "Holes filled"),
    ),
    *_rows(
        "distance_maps",
        ("dt", "mask -> image", 7e-3, "Signed distance in mm"),
        ("pdt", "mask -> image", 7e-3, "Distance in mm, 0 inside"),
        version=2,
    ),
    *_rows(
        "distance_maps",
        ("distleq", "number mask -> mask", 8e-5, "At most r mm away"),
        ("distgeq", "number mask -> mask", 8e-5, "At least r mm away"),
        ("smoothen", "mask number -> mask", 1.2e-4, "Smoothing by a radius"),
        ("erode", "mask number -> mask", 8e-5, "Erosion by a radius in mm"),
        ("dilate", "mask number -> mask", 8e-5, "Dilation by a radius in mm"),
        ("imopen", "mask number -> mask", 1.2e-4, "Opening by a radius in mm"),
        ("imclose", "mask number -> mask", 1.2e-4, "Closing by a radius in mm"),
        version=3,
    ),
    *_rows(
        "boolean",
        ("and", "mask mask -> mask", 2e-5, "In both", "and_"),
        ("or", "mask mask -> mask", 2e-5, "In one or both", "or_"),
        ("not", "mask -> mask", 2e-5, "Not in a", "not_"),
        ("diff", "mask mask -> mask", 2e-5, "In a and not in b"),
        elementwise=True,
    ),
    *_rows(
        "threshold",
        ("geq_sv", "number image -> mask", 1.5e-4, "Where i >= v"),
        ("leq_sv", "number image -> mask", 1.5e-4, "Where i <= v"),
        ("gt_sv", "number image -> mask", 1.5e-4, "Where i > v"),
        ("lt_sv", "number image -> mask", 1.5e-4, "Where i < v"),
        ("eq_sv", "number image -> mask", 1.5e-4, "Where i = v"),
        ("between", "number number image -> mask", 1.5e-4, "Where lo <= i <= hi"),
        elementwise=True,
    ),
    *_rows(
        "image_sources",
        ("border", "image* -> mask", 1e-5, "The outermost voxels"),
        ("x", "image* -> image", 5e-4, "Indices along x"),
        ("y", "image* -> image", 5e-4, "Indices along y"),
        ("z", "image* -> image", 5e-4, "Indices along z"),
        ("tt", "image* -> mask", 5e-5, "The full mask"),
        ("ff", "image* -> mask", 5e-5, "The empty mask"),
        ("constant", "number image* -> image", 3e-4, "k everywhere"),
        ("bconstant", "bool image* -> mask", 5e-5, "b everywhere"),
        role=Role.GEOMETRY,
    ),
    *_rows(
        "colour",
        ("intensity", "image -> image", 2e-3, "One channel as float32"),
        ("red", "image -> image", 1e-3, "The red channel"),
        ("green", "image -> image", 1e-3, "The green channel"),
        ("blue", "image -> image", 1e-3, "The blue channel"),
        ("alpha", "image -> image", 1e-3, "The alpha channel"),
        ("rgb", "image image image -> image", 2.5e-2, "A colour image"),
        ("rgba", "image image image image -> image", 3e-2, "A colour image with alpha"),
    ),
    *_rows(
        "overlay",
        ("overlay", "image image* -> image", 1.2e-2, "An image in grey, masks in colours over it"),
    ),
    *_rows(
        "colour",
        ("mask", "image mask -> image", 1e-3, "i where m is true, else 0"),
        elementwise=True,
    ),
    *_rows(
        "measurements",
        ("volume", "mask -> number", 2e-5, "Number of true voxels"),
        ("avg", "image mask -> number", 2.5e-4, "Mean where m is true"),
        ("avg0", "image mask -> number", 2.5e-4, "Mean where m is true, or 0"),
        ("min", "image -> number", 1.5e-4, "The smallest value", "min_"),
        ("max", "image -> number", 1.5e-4, "The largest value", "max_"),
        ("percentiles", "image mask number -> image", 5e-3, "Ranks within the mask"),
        ("vol", "mask -> number", 2e-5, "Another name of volume", "volume"),
        ("label_mean", "image image -> image", 8e-3, "Means by label"),
    ),
    *_rows(
        "measurements",
        ("abs", "image -> image", 4e-4, "Absolute values", "abs_"),
        elementwise=True,
    ),
    *make_specs(
        "vox1",
        "typed_arithmetic",
        ("num_add", "number number -> number", 0.0, "a + b"),
        ("num_sub", "number number -> number", 0.0, "a - b"),
        ("num_mul", "number number -> number", 0.0, "a * b"),
        ("num_div", "number number -> number", 0.0, "a / b"),
        ("num_eq", "number number -> bool", 0.0, "a = b"),
        ("num_neq", "number number -> bool", 0.0, "a is not b"),
        ("num_lt", "number number -> bool", 0.0, "a < b"),
        ("num_leq", "number number -> bool", 0.0, "a <= b"),
        ("num_gt", "number number -> bool", 0.0, "a > b"),
        ("num_geq", "number number -> bool", 0.0, "a >= b"),
        ("bool_and_scalar", "bool bool -> bool", 0.0, "a and b"),
        ("bool_or_scalar", "bool bool -> bool", 0.0, "a or b"),
        ("bool_not_scalar", "bool -> bool", 0.0, "not a"),
        seconds=3e-6,
        cheap=True,
    ),
    *_rows(
        "typed_arithmetic",
        ("add_vs", "image number -> image", 4e-4, "i + k"),
        ("mul_vs", "image number -> image", 4e-4, "i * k"),
        ("sub_vs", "image number -> image", 6e-4, "i - k"),
        ("sub_sv", "number image -> image", 6e-4, "k - i"),
        ("div_vs", "image number -> image", 4e-4, "i / k"),
        ("div_sv", "number image -> image", 4e-4, "k / i"),
        elementwise=True,
    ),
    *_rows(
        "itk_filters",
        ("otsu", "image mask number -> mask", 1.2e-2, "Two classes by Otsu's threshold"),
        ("gradient", "image -> image", 2e-2, "Magnitude of the gradient"),
        ("n4", "image mask -> image", 10, "Bias field correction"),
        libraries=("SimpleITK",),
    ),
    *_rows(
        "itk_filters",
        ("slic", "image number number -> image", 1, "Superpixels"),
        version=2,
        libraries=("SimpleITK",),
    ),
    *_rows(
        "cropping",
        ("extract", "image sequence sequence -> image", 1e-3, "A box of an image"),
    ),
    *_rows(
        "texture",
        (
            "crossCorrelation",
            "number image image mask number number number -> image",
            1,
            "Similarity of local histograms",
            "cross_correlation",
        ),
    ),
    *_rows(
        "surface_distances",
        ("hd95", "mask mask -> number", 1e-2, "95th percentile of surface distances"),
        ("nsd", "mask mask number -> number", 1e-2, "Share of surfaces that are close"),
        version=2,
    ),
)

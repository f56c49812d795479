"""Images and saved files as values."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from threading import Barrier

import numpy as np
import pytest

from tests.support.plans_and_runs import image
from voxk8s.read_only import is_read_only
from voxk8s.values import Array, Image, MaskArray, PackedMask, SavedFile

IDENTITY = (1.0, 0.0, 0.0, 1.0)


def test_the_size_of_an_image_is_in_the_order_of_itk() -> None:
    """Arrays have the axes (z, y, x), sizes x, y, z."""
    assert (image((4, 5, 6)).size, image((4, 5, 6)).dimension) == ((6, 5, 4), 3)


def test_a_2d_image_has_two_axes() -> None:
    """Its size is x, y."""
    flat = Image(np.zeros((5, 6)), (1.0, 1.0), (0.0, 0.0), IDENTITY)
    assert (flat.size, flat.dimension) == ((6, 5), 2)


def test_channels_are_not_an_axis_of_space() -> None:
    """The last axis of a colour image is in neither the size nor the dimension."""
    colour = Image(np.zeros((5, 6, 3), "uint8"), (1.0, 1.0), (0.0, 0.0), IDENTITY, 3)
    assert (colour.size, colour.dimension) == ((6, 5), 2)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(105).reshape(3, 5, 7) % 3 == 1,
        np.arange(105).reshape(3, 5, 7)[:, ::2, ::-1] % 2,
        np.arange(105).reshape(3, 5, 7),
        np.zeros((0, 5, 7)),
        np.ones((5, 7)),
    ],
    ids=["mask", "not contiguous", "labels", "empty", "2-D"],
)
def test_a_pickled_image_is_the_same(array: Array) -> None:
    """Voxels, their type and the geometry arrive as they were, in every protocol."""
    axes = array.ndim
    sent = Image(array.astype("uint8"), (2.0,) * axes, (3.0,) * axes, tuple(np.eye(axes).flat))
    for protocol in (4, 5):
        read = pickle.loads(pickle.dumps(sent, protocol))
        assert (read.spacing, read.origin, read.direction, read.channels) == (
            sent.spacing,
            sent.origin,
            sent.direction,
            sent.channels,
        )
        assert (read.array.dtype, read.array.shape) == (sent.array.dtype, sent.array.shape)
        assert read.array.tolist() == sent.array.tolist()


def test_masks_are_pickled_as_bits() -> None:
    """A mask takes an eighth of its bytes on its way from worker to worker; other images all."""
    mask = Image(np.ones((50, 40, 30), "uint8"), (1.0,) * 3, (0.0,) * 3, tuple(np.eye(3).flat))
    labels = replace(mask, array=mask.array * 2)
    assert len(pickle.dumps(mask, 5)) < 50 * 40 * 30 / 7 < len(pickle.dumps(labels, 5))
    # So that the bits of it that kernels need are packed once.
    assert is_read_only(pickle.loads(pickle.dumps(mask, 5)).array)


def test_images_are_compared_by_identity() -> None:
    """Images compare by identity, since arrays have no single truth value."""
    one = image()
    assert one == one  # the identity itself
    assert one != image()
    assert len({one, image()}) == 2


def test_an_image_cannot_be_given_another_array() -> None:
    """Operations share images."""
    with pytest.raises(FrozenInstanceError):
        image().array = np.zeros(3)  # type: ignore[misc]  # as intended


def test_the_bytes_of_a_saved_file_are_not_in_its_text() -> None:
    """A log or a traceback shows the type, not megabytes."""
    assert repr(SavedFile(b"x" * 1000, ".png", "image/png")) == (
        "SavedFile(suffix='.png', media_type='image/png')"
    )


def test_saved_files_are_compared_by_content() -> None:
    """Equal bytes with another suffix are another file."""
    file = SavedFile(b"1", ".txt", "text/plain")
    assert file == SavedFile(b"1", ".txt", "text/plain")
    assert file != SavedFile(b"2", ".txt", "text/plain")
    assert file != SavedFile(b"1", ".json", "text/plain")


class _Packed:
    """The voxels of a mask in another form, which counts how often it is unpacked."""

    def __init__(self, voxels: MaskArray) -> None:
        self._voxels = voxels
        self.shape = voxels.shape
        self.nbytes = voxels.nbytes
        self.unpacked = 0

    def voxels(self) -> MaskArray:
        """Return the voxels."""
        self.unpacked += 1
        return self._voxels.copy()


def _packed_mask(form: type[_Packed] = _Packed) -> tuple[PackedMask, _Packed]:
    packed = form(np.array([[0, 1, 1]], np.uint8))
    like = Image(np.zeros((1, 3)), (1.0, 2.0), (3.0, 4.0), (1.0, 0.0, 0.0, 1.0))
    return PackedMask(packed, like.spacing, like.origin, like.direction), packed


def test_a_packed_mask_is_unpacked_when_needed() -> None:
    """Once; what is asked of most images needs no voxels."""
    mask, packed = _packed_mask()
    assert (mask.shape, mask.size, mask.nbytes, mask.dimension) == ((1, 3), (3, 1), 3, 2)
    assert (mask.spacing, mask.origin, mask.channels) == ((1.0, 2.0), (3.0, 4.0), 1)
    assert packed.unpacked == 0
    assert mask.array.tolist() == [[0, 1, 1]]
    assert mask.array is mask.array
    assert packed.unpacked == 1
    assert is_read_only(mask.array)


def test_a_packed_mask_is_frozen() -> None:
    """As any image."""
    mask, _ = _packed_mask()
    with pytest.raises(FrozenInstanceError):
        mask.array = np.ones((1, 3))  # type: ignore[misc]


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_packed_mask_is_pickled_as_any_other_one(protocol: int) -> None:
    """Digests of code that holds a mask do not depend on its form."""
    mask, _ = _packed_mask()
    plain = Image(mask.array, mask.spacing, mask.origin, mask.direction)
    assert pickle.dumps(mask, protocol) == pickle.dumps(plain, protocol)
    found = pickle.loads(pickle.dumps(mask, protocol))
    assert type(found) is Image
    assert found.array.tolist() == [[0, 1, 1]]


def test_a_packed_mask_is_sent_packed() -> None:
    """Workers neither unpack nor pack what they send each other."""
    mask, packed = _packed_mask()
    found = pickle.loads(pickle.dumps(mask, 5))
    assert packed.unpacked == 0
    assert isinstance(found.packed, _Packed)
    assert (found.spacing, found.origin) == (mask.spacing, mask.origin)
    assert (found.direction, found.channels) == (mask.direction, 1)
    assert found.array.tolist() == [[0, 1, 1]]


def test_a_packed_mask_with_other_fields_is_an_image() -> None:
    """Its array need not be what was packed."""
    mask, _ = _packed_mask()
    moved = replace(mask, origin=(0.0, 0.0))
    assert type(moved) is Image
    assert moved.array is mask.array
    assert replace(mask, array=np.ones((2, 2))).shape == (2, 2)
    assert copy.deepcopy(mask).array.tolist() == [[0, 1, 1]]


def test_a_packed_mask_has_the_text_of_an_image() -> None:
    """A kernel that returns it returns the same whether the mask was stored or not."""
    mask, _ = _packed_mask()
    assert repr(mask) == repr(Image(mask.array, mask.spacing, mask.origin, mask.direction))


def test_threads_that_unpack_a_mask_at_once_get_one_array() -> None:
    """Whose memory an array has is told by its identity."""
    both = Barrier(2, timeout=30)

    class Slow(_Packed):
        def voxels(self) -> MaskArray:
            both.wait()
            return super().voxels()

    mask, _ = _packed_mask(Slow)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: mask.array, range(2))
    assert first is second is mask.array

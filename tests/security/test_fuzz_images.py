"""What the fuzzer damages is sound before; `test_fuzz.py` decodes what it damaged."""

from __future__ import annotations

import pytest

from tests.support.fuzz_images import FORMATS, decode_image, sample


@pytest.mark.parametrize("kind", FORMATS)
def test_samples_are_sound(kind: str) -> None:
    """What is damaged can be read before."""
    decode_image(sample(kind))

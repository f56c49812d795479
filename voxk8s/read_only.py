"""Arrays that nobody can write to: operations may share them, and what is known of them holds."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def read_only(array: NDArray[T]) -> NDArray[T]:
    """Return a contiguous array on the same memory that nobody can make writeable by its flags.

    NumPy lets the flag of an array be set again if the array at the end of its bases owns the
    memory, or sees that of an object that lends it for writing, such as a bytearray or a mapped
    file; so the memory is seen through a read-only buffer. Without bytes, or where the flag cannot
    be set again, the array is returned as it is.
    """
    root: object = array
    while isinstance(root, np.ndarray):
        root.flags.writeable = False
        root = root.base
    if not array.nbytes or (root is not None and _lends(root) != "writing"):
        return array
    # As bytes: not every dtype can be read from a buffer.
    content = array.reshape(-1).view(np.uint8).data.toreadonly()
    return np.frombuffer(content, np.uint8).view(array.dtype).reshape(array.shape)


def is_read_only(array: NDArray[np.generic]) -> bool:
    """Whether nobody can write to an array's memory unless they set a flag of NumPy again."""
    root: object = array
    is_lent = False
    while isinstance(root, np.ndarray | memoryview):
        if root.flags.writeable if isinstance(root, np.ndarray) else not root.readonly:
            return False
        if isinstance(root, np.ndarray):
            root = root.base
        else:
            # A view for reading says nothing of the memory: ITK's image, which has no owner here,
            # and a bytearray lend theirs so as well.
            is_lent, root = isinstance(root.obj, np.ndarray), root.obj
    return is_lent if root is None else _lends(root) == "reading"


def _lends(owner: object) -> str:
    """Return for what an object lends its memory: reading, writing, or nothing (empty)."""
    try:
        with memoryview(owner) as content:  # type: ignore[arg-type]
            return "reading" if content.readonly else "writing"
    except (TypeError, ValueError, BufferError):  # no buffer
        return ""

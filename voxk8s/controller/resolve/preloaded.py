"""What processes that resolve plans need at once, imported once for all of them.

The fork server imports this module: no thread may start here, and no connection be opened.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from voxk8s.kernels import registry

LATE: Final = ("aiobotocore.session", "s3fs", "obstore.store")
"""Modules that are imported elsewhere only when they are used."""

for _name in LATE:
    import_module(_name)
registry()

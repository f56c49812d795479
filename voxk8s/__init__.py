"""voxk8s runs VoxLogicA work plans, on Kubernetes or in one process.

Names are loaded on first use, so that importing the package is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voxk8s.constants import RELEASE
from voxk8s.lazy import lazy_names

if TYPE_CHECKING:
    from voxk8s.execution import ExecutionEngine as ExecutionEngine
    from voxk8s.execution import ExecutionResult as ExecutionResult
    from voxk8s.execution import get_operation_future as get_operation_future
    from voxk8s.execution import get_shared_dask_client as get_shared_dask_client
    from voxk8s.execution import load_plan as load_plan
    from voxk8s.execution import set_operation_future as set_operation_future
    from voxk8s.kernels import kernel as kernel
    from voxk8s.notebook import ProgramRun as ProgramRun
    from voxk8s.notebook import load_ipython_extension as load_ipython_extension
    from voxk8s.notebook import run as run
    from voxk8s.plan import WorkPlan as WorkPlan
    from voxk8s.program import compile_program as compile_program
    from voxk8s.storage import get_storage as get_storage
    from voxk8s.storage import open_store as open_store
    from voxk8s.storage import set_storage as set_storage
    from voxk8s.submitted_run import SubmittedRun as SubmittedRun
    from voxk8s.submitted_run import submit as submit

__version__ = RELEASE

_HOMES = {
    "ExecutionEngine": ".execution",
    "ExecutionResult": ".execution",
    "ProgramRun": ".notebook",
    "SubmittedRun": ".submitted_run",
    "WorkPlan": ".plan",
    "compile_program": ".program",
    "get_operation_future": ".execution",
    "get_shared_dask_client": ".execution",
    "get_storage": ".storage",
    "kernel": ".kernels",
    "load_ipython_extension": ".notebook",
    "load_plan": ".execution",
    "open_store": ".storage",
    "run": ".notebook",
    "set_operation_future": ".execution",
    "set_storage": ".storage",
    "submit": ".submitted_run",
}
__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)

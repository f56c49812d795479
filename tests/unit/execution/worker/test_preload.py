"""Libraries of tasks that are imported while an input is decoded."""

from __future__ import annotations

import subprocess
import sys

_TASK = """
import sys
from voxk8s.execution.tasks.task import Step, StepKind, StepRule, TaskKey, TaskSpec
from voxk8s.execution.worker.preload import preload
rules = {rules}
steps = tuple(Step(str(number), rule) for number, rule in enumerate(rules))
thread = preload([TaskSpec(TaskKey("t"), (), (), steps, ())])
if thread is not None:
    thread.join()
print(thread is not None, "SimpleITK" in sys.modules)
"""
_LOAD = 'StepRule(StepKind.LOAD, "default.load")'


def _preload(*rules: str) -> str:
    """Preload a task with steps of these rules in a new process; return what it prints."""
    code = _TASK.format(rules=f"[{', '.join(rules)}]")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_library_that_writes_images_is_imported_beside_an_input() -> None:
    """A run that loads an image and saves one imports what writes it meanwhile."""
    save = 'StepRule(StepKind.SAVE, "default.save", suffix=".nii.gz")'
    assert _preload(_LOAD, save) == "True True"


def test_texts_need_no_library_of_images() -> None:
    """A saved text imports nothing."""
    save = 'StepRule(StepKind.SAVE, "default.save", suffix=".json")'
    assert _preload(_LOAD, save) == "True False"


def test_tasks_without_inputs_are_not_preloaded() -> None:
    """There is nothing to wait for, so there is no thread."""
    assert _preload('StepRule(StepKind.SAVE, "default.save", suffix=".nii.gz")') == "False False"


def test_the_module_of_a_kernel_is_imported() -> None:
    """A kernel of SimpleITK imports it, also behind one that this process does not have."""
    rules = (f'StepRule(StepKind.COMPUTE, "{name}")' for name in ("none.such", "simpleitk.Abs"))
    assert _preload(_LOAD, *rules) == "True True"

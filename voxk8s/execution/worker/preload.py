"""Imports the libraries that tasks need, while this process waits for an input to be decoded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from voxk8s.execution.tasks.task import StepKind, StepRule, TaskSpec
from voxk8s.formats.encode_file import prepare_encoder
from voxk8s.kernels import registry

logger = logging.getLogger(__name__)


def preload(tasks: Iterable[TaskSpec]) -> threading.Thread | None:
    """Import, in a thread, what the steps of the tasks need; None if none of them loads an input.

    Inputs are decoded by another process, and SimpleITK takes as long to import as a small input
    takes from its bytes to its voxels. Tasks without inputs import what they need as they run.
    """
    rules = {id(step.rule): step.rule for task in tasks for step in task.steps}
    if not any(rule.kind == StepKind.LOAD for rule in rules.values()):
        return None
    # Not a daemon: an interpreter that ends in the middle of an import of compiled code may crash.
    thread = threading.Thread(target=_import, args=(list(rules.values()),), name="voxk8s-preload")
    thread.start()
    return thread


def _import(rules: Iterable[StepRule]) -> None:
    for rule in rules:
        try:
            if rule.kind == StepKind.SAVE and rule.suffix is not None:
                prepare_encoder(rule.suffix)
            elif rule.kind == StepKind.COMPUTE:
                registry().function(rule.kernel)
        except Exception as error:  # noqa: BLE001  # the step itself fails, and says so in its place
            logger.debug("%s cannot be loaded yet: %s", rule.kernel, error)

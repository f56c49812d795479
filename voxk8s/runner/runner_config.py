"""Configuration of the runner, from the environment that the operator gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from voxk8s import constants
from voxk8s.errors import InvalidUsage
from voxk8s.inputs.options import InputOptions


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """Which WorkPlan to run, where its scheduler and its store are."""

    namespace: str
    name: str
    uid: str
    scheduler: str
    store: str
    inputs: InputOptions
    log_level: str = "INFO"

    @property
    def run_folder(self) -> str:
        """Folder of the run, below `runs/` in the store."""
        return f"{self.namespace}/{self.name}/{self.uid}"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> RunnerConfig:
        """Read the configuration; raises InvalidUsage naming the variables that are missing."""
        needed = (
            constants.ENV_WORKPLAN_NAMESPACE,
            constants.ENV_WORKPLAN_NAME,
            constants.ENV_WORKPLAN_UID,
            constants.ENV_SCHEDULER_ADDRESS,
            constants.ENV_STORE,
        )
        missing = [name for name in needed if not env.get(name)]
        if missing:
            raise InvalidUsage(f"the runner needs {', '.join(missing)} in its environment")
        return cls(
            namespace=env[constants.ENV_WORKPLAN_NAMESPACE],
            name=env[constants.ENV_WORKPLAN_NAME],
            uid=env[constants.ENV_WORKPLAN_UID],
            scheduler=env[constants.ENV_SCHEDULER_ADDRESS],
            store=env[constants.ENV_STORE],
            # Nothing of the pod's own file system belongs to a user's plan.
            inputs=replace(InputOptions.from_env(env), local_allowed=False),
            log_level=(env.get(constants.ENV_LOG_LEVEL) or "INFO").upper(),
        )

"""Configuration of the runner, from environment variables that the operator sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from voxk8s import constants
from voxk8s.errors import InvalidUsage
from voxk8s.inputs.input_options import InputOptions
from voxk8s.settings import read_json


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """The WorkPlan to run, the address of its scheduler, the URLs of its store and the chart's.

    `offers` are the resources of its workers, by which operations are placed.
    """

    namespace: str
    name: str
    uid: str
    scheduler: str
    store: str
    inputs: InputOptions
    log_level: str = "INFO"
    chart_store: str | None = None
    offers: tuple[Mapping[str, float], ...] = ()

    @property
    def run_folder(self) -> str:
        """Folder of the run, relative to `runs/` in the store."""
        return f"{self.namespace}/{self.name}/{self.uid}"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> RunnerConfig:
        """Read the configuration; raises InvalidUsage naming the missing variables."""
        needed = (
            constants.ENV_WORKPLAN_NAMESPACE,
            constants.ENV_WORKPLAN_NAME,
            constants.ENV_WORKPLAN_UID,
            constants.ENV_SCHEDULER_ADDRESS,
            constants.ENV_STORE,
        )
        missing = [name for name in needed if not env.get(name)]
        if missing:
            raise InvalidUsage(
                f"environment variables of the runner are not set: {', '.join(missing)}"
            )
        return cls(
            namespace=env[constants.ENV_WORKPLAN_NAMESPACE],
            name=env[constants.ENV_WORKPLAN_NAME],
            uid=env[constants.ENV_WORKPLAN_UID],
            scheduler=env[constants.ENV_SCHEDULER_ADDRESS],
            store=env[constants.ENV_STORE],
            # A plan must not read the file system of the pod.
            inputs=replace(InputOptions.from_env(env), local_allowed=False),
            log_level=(env.get(constants.ENV_LOG_LEVEL) or "INFO").upper(),
            chart_store=env.get(constants.ENV_CHART_STORE) or None,
            offers=tuple(read_json(env, constants.ENV_WORKER_OFFERS, list[dict[str, float]], [])),
        )

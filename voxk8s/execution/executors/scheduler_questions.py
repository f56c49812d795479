"""Questions to a Dask scheduler, none of which waits for its answer for ever.

All raise TimeoutError when the answer does not come in time, OSError or another error of Dask when
there is nobody to ask.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from distributed import Client

ANSWER_SECONDS: Final = 10.0
"""How long the scheduler, which asks the workers for some answers, may take."""
NO_ANSWER: Final = (OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError)
"""What a question may raise."""


def running_tasks(client: Client) -> Mapping[str, Collection[object]]:
    """Return the keys of the tasks that each worker runs at this moment, as the workers say."""
    found: dict[str, Collection[object]] = _ask(client, "call_stack", keys=None)
    return found


def placed_tasks(client: Client) -> Mapping[str, Collection[object]]:
    """Return the keys of the tasks that the scheduler has given to each worker."""
    found: dict[str, Collection[object]] = _ask(client, "processing", workers=None)
    return found


def task_states(client: Client, keys: Collection[str]) -> Mapping[str, str | None]:
    """Return the scheduler's state of each task; None for those that it does not know."""
    found: dict[str, str | None] = _ask(client, "get_task_status", keys=list(keys))
    return found


def workers(client: Client) -> Mapping[str, Mapping[str, Any]]:
    """Return what the scheduler knows of each worker, such as `nthreads` and `status`."""
    found: dict[str, dict[str, Any]] = _ask(client, "identity", n_workers=-1)["workers"]
    return found


def _ask(client: Client, question: str, **details: object) -> Any:
    ask = getattr(client.scheduler, question)
    return client.sync(ask, callback_timeout=ANSWER_SECONDS, **details)

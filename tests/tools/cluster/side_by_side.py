"""Jobs at the same time: while one waits for the network or a disk, another computes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def side_by_side(*jobs: Callable[[], object]) -> None:
    """Run jobs on a thread each until all have ended; raise the error of the first that failed."""
    with ThreadPoolExecutor(len(jobs)) as threads:
        running = [threads.submit(job) for job in jobs]
    for job in running:
        job.result()

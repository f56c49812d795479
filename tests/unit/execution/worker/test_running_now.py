"""What threads compute at the moment."""

from __future__ import annotations

import threading

from voxk8s.execution.worker import running_now


def test_kernels_of_other_threads_are_seen_with_their_time() -> None:
    """The longest first; what has ended is not there."""
    go = threading.Event()
    seen = threading.Barrier(3)

    def work(kernel: str, start: float) -> None:
        running_now.began(kernel, lambda: start)
        seen.wait(20)
        go.wait(20)
        running_now.ended()

    threads = [threading.Thread(target=work, args=each) for each in (("a", 5.0), ("b", 2.0))]
    for thread in threads:
        thread.start()
    seen.wait(20)
    assert running_now.running(lambda: 7.0) == [("b", 5.0), ("a", 2.0)]
    go.set()
    for thread in threads:
        thread.join()
    assert running_now.running() == []

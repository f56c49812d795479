"""What a run uses over time."""

from __future__ import annotations

import threading

from voxk8s.history.usage import MOST_SAMPLES, UsageRecorder, own_usage
from voxk8s.report import Usage


def test_this_process_is_read() -> None:
    """It has some memory, and uses no more cores than time allows."""
    read = own_usage()
    usage = read()
    assert usage is not None
    assert usage.memory > 2**20
    assert usage.cores >= 0
    assert usage.workers == 1


def test_it_is_read_until_the_end() -> None:
    """As often as the pause allows, in another thread."""
    recorder, twice = UsageRecorder(0.001), threading.Event()
    threads = set()

    def read() -> Usage:
        threads.add(threading.current_thread())
        if recorder.samples():
            twice.set()
        return Usage(1.0, 1.0, 1)

    with recorder(read):
        assert twice.wait(30)
    assert threading.main_thread() not in threads
    assert len(recorder.samples()) >= 1


def test_memory_is_bounded() -> None:
    """Of long runs fewer moments are kept; what is not known is none."""
    recorder = UsageRecorder()
    for number in range(10 * MOST_SAMPLES):
        recorder.add(Usage(float(number), 1.0, 1))
        recorder.add(None)
    times = [each.time for each in recorder.samples()]
    assert len(times) < MOST_SAMPLES
    assert times == sorted(times)
    assert times[0] == 0.0

"""Long-running processes: started once, recorded, and stopped only when they are really ours.

A process identifier alone is not enough to end a process: it may be used again. A record therefore
holds the start time of the process and the boot of the machine, which no other process shares.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tests.tools.cluster.cache import digest_of


@dataclass(frozen=True)
class Record:
    """What is needed to recognise a process that was started earlier."""

    pid: int
    started: int
    boot: str
    command: str
    """Digest of its arguments and environment: another one means another process is wanted."""


def boot_id() -> str:
    """Return the name of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the boot; None if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


class Processes:
    """The processes of one cluster, with their records and logs in two folders."""

    def __init__(self, records: Path, logs: Path) -> None:
        """Keep records (which need not survive a boot) and logs in these folders."""
        self._records = records
        self._logs = logs

    def start(
        self, name: str, argv: Sequence[str | Path], env: Mapping[str, str] | None = None
    ) -> bool:
        """Start a process unless it runs already with the same command; True if it was started."""
        words = [str(word) for word in argv]
        command = digest_of(
            *words, *(f"{key}={value}" for key, value in sorted((env or {}).items()))
        )
        record = self.record(name)
        if record is not None and self.alive(name):
            if record.command == command:
                return False
            self.stop([name])
        self._records.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{name}.log").open("ab") as log:
            subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(env or {})},
                cwd="/",
                start_new_session=True,
                # By the child itself, before it becomes the program: however soon this process
                # is killed, there is never one that runs without a record.
                preexec_fn=partial(self._note, name, command),
            )
        return True

    def _note(self, name: str, command: str) -> None:
        record = Record(os.getpid(), start_time(os.getpid()) or 0, boot_id(), command)
        fresh = self._records / f"{name}.new"
        fresh.write_text(json.dumps(asdict(record)))
        os.replace(fresh, self._records / f"{name}.json")

    def record(self, name: str) -> Record | None:
        """Return the record of a process that was started here."""
        try:
            return Record(**json.loads((self._records / f"{name}.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def names(self) -> list[str]:
        """Return the names of all recorded processes, dead ones included."""
        return sorted(path.stem for path in self._records.glob("*.json"))

    def alive(self, name: str) -> bool:
        """Return whether the recorded process itself (and no other one) is running."""
        record = self.record(name)
        if record is None or record.boot != boot_id():
            return False
        return start_time(record.pid) == record.started

    def stop(self, names: Iterable[str], *, patience: float = 10) -> None:
        """Ask processes to end, all at once, and kill those that do not in time."""
        wanted = list(names)
        self._signal(wanted, signal.SIGTERM)
        end = time.monotonic() + patience
        while any(self.alive(name) for name in wanted):
            if time.monotonic() > end:
                self._signal(wanted, signal.SIGKILL)
                break
            time.sleep(0.05)
        for name in wanted:
            (self._records / f"{name}.json").unlink(missing_ok=True)

    def _signal(self, names: Iterable[str], number: signal.Signals) -> None:
        for name in names:
            record = self.record(name)
            if record is not None and self.alive(name):
                os.kill(record.pid, number)

    def last_words(self, name: str) -> str:
        """Return the end of a process's log, for error messages."""
        log = self._logs / f"{name}.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return f"{lines[-1] if lines else 'no output'} (log: {log})"

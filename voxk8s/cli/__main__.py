"""Entry point: runs a command and turns every error into a message and an exit status.

0: all goals reached. 1: the run failed, in part or as a whole, or a server failed.
2: the call, the plan or the program is invalid. 130: interrupted. 143: terminated.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import ModuleType

from voxk8s.cli.argument_parser import build_parser
from voxk8s.cli.streams import drop_output, prepare_streams
from voxk8s.errors import InvalidPlan, InvalidProgram, InvalidUsage, Voxk8sError
from voxk8s.redact import redact, visible

FAILED = 1
INVALID = 2
INTERRUPTED = 130
TERMINATED = 143
_EXTRAS = {
    "kubernetes": "operator",
    "aiohttp": "operator",
    "redis": "redis",
    "lsprotocol": "editor",
    "pygls": "editor",
}


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command as Ctrl-C does: what it was computing is given back."""

    came = False


def call(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status; only --help raises SystemExit."""
    try:
        if not prepare_streams():
            return INVALID
        options = build_parser().parse_args(arguments)
        # Imported here: --help needs no log and should start fast.
        from voxk8s.cli.log_format import start_log

        start_log(options.verbose - options.quiet)
        if options.module == "run":
            # Before all else is imported: decoders load their libraries in the meantime.
            _imported("voxk8s.cli.new_inputs").prepare_for_new_inputs(options)
        command = _imported(f"voxk8s.cli.commands.{options.module}")
        status: int = command.run(options)
        sys.stdout.flush()
    except Terminated:
        _say("terminated")
        return TERMINATED
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe.
        drop_output()
        return FAILED
    except InvalidProgram as error:
        # The message begins with file, line and column: editors expect them at the start of a line.
        print(visible(str(error)), file=sys.stderr)
        return INVALID
    except (InvalidPlan, InvalidUsage) as error:
        _say(str(error))
        return INVALID
    except Voxk8sError as error:
        _say(str(error) or type(error).__name__)
        return FAILED
    except OSError as error:
        drop_output()
        _say(f"{error.filename or 'standard output'}: {error.strerror or error}")
        _debug(error)
        return FAILED
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = _EXTRAS.get(package, "engine")
        from voxk8s.cli.install_hint import install_command

        _say(f"this command needs {package}: {install_command(extra)}")
        return FAILED
    except Exception as error:  # noqa: BLE001 - a message for the user, the traceback for the log
        if Terminated.came:  # while numpy was imported: it makes an ImportError of the signal
            _say("terminated")
            return TERMINATED
        from voxk8s.failure import error_text

        _debug(error)
        _say(f"{error_text(error)} (a bug in voxk8s; -vv prints the traceback)")
        return FAILED
    return status


def _imported(module: str) -> ModuleType:
    """Import a module without the garbage collector, which takes a twentieth of that time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        if enabled:
            gc.enable()


def main() -> None:
    """Run as a program."""
    # Shells ignore SIGINT in background jobs; an explicit signal should still work.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        status = call()
        # All is given back, and what is left to do at the end may take long: they end it at once.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    except KeyboardInterrupt as error:  # while a message was written
        status = TERMINATED if isinstance(error, Terminated) else INTERRUPTED
    if status in (INTERRUPTED, TERMINATED):
        # Threads may be in long operations; do not wait for them.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    # The interpreter collects garbage as it ends, which takes a tenth of the time of a short run:
    # it need not look at what goes away with the process.
    gc.freeze()
    sys.exit(status)


def _terminate(*_: object) -> None:
    # A second one ends the process at once.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Terminated.came = True
    raise Terminated


def _say(message: str) -> None:
    print(f"voxk8s: {visible(redact(message))}", file=sys.stderr)


def _debug(error: Exception) -> None:
    import logging

    logging.getLogger("voxk8s.cli").debug("unexpected error", exc_info=error)


if __name__ == "__main__":
    main()

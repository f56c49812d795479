"""What a process that resolves plans may read: code and certificates, no secret of the operator.

It handles what strangers wrote, and needs no keys but those of the store that its request names.
The operator takes its keys out of its own environment before it starts such a process, and Landlock
(Linux 5.13), which needs no rights, hides the operator's API token and its memory. The fork server
makes processes without all this for whoever connects to it: local sockets are refused, and the
folder of its socket can neither be read nor written, so that no such process can delete the socket.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import MutableMapping
from typing import Final

from voxk8s import constants
from voxk8s.formats.sandbox.landlock import restrict_files
from voxk8s.formats.sandbox.seccomp import refuse_local_sockets

_log = logging.getLogger(__name__)

_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/etc", "/opt", "/dev", "/proc/self", "/proc/cpuinfo")
_FILES: Final = (
    "AWS_CA_BUNDLE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)
"""Variables that name files which a client of S3 reads."""
_PACKAGE: Final = os.path.abspath(f"{__file__}/../../..")


def drop_keys(env: MutableMapping[str, str]) -> None:
    """Remove the keys of the store from an environment that child processes inherit."""
    for name in constants.S3_CREDENTIALS:
        env.pop(name, None)


def hide_secrets(scratch: str) -> bool:
    """Deny this process, for good, what a look-up does not need; False if it can read all files.

    These are files and local sockets. `scratch` is its folder for temporary files. Threads that
    run already are not confined.
    """
    if not refuse_local_sockets():
        _log.warning("this kernel has no filter of system calls: there is a way to the fork server")
    named = [os.environ[name] for name in _FILES if name in os.environ]
    resolver = os.path.realpath("/etc/resolv.conf")
    libraries = [path for path in sys.path if path.endswith("-packages")]
    code = [sys.prefix, sys.base_prefix, *libraries, _PACKAGE]
    tempfile.tempdir = os.environ["TMPDIR"] = scratch
    return restrict_files([*_SYSTEM, resolver, *code, *named], [scratch, "/dev/null"], network=True)

"""`voxk8s crd`: print the CustomResourceDefinition, for `kubectl apply -f -`."""

from __future__ import annotations

import argparse
import sys

from voxk8s.api.crd import render


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - the signature of all commands
    """Print the CRD in YAML, as in `manifests/crds`."""
    sys.stdout.write(render())
    return 0

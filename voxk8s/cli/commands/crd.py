"""`voxk8s crd`: the CustomResourceDefinition, for `kubectl apply -f -`."""

from __future__ import annotations

import argparse
import sys

from voxk8s.api.crd import render


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes them
    """Write the CRD in YAML, as `manifests/crds` has it."""
    sys.stdout.write(render())
    return 0

"""`voxk8s crd`: the CustomResourceDefinition, for `kubectl apply -f -`."""

from __future__ import annotations

import argparse
import sys

import yaml

from voxk8s.api.crd import crd


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes them
    """Write the CRD in YAML."""
    yaml.safe_dump(crd(), sys.stdout, sort_keys=False)
    return 0

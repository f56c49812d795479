"""What to compute: plans, ids, result keys and their resolution. Pure."""

from voxk8s.plan.document.decode import decode, validate
from voxk8s.plan.document.encode import encode, to_resource
from voxk8s.plan.graph import reachable, topological_order, width
from voxk8s.plan.identity import closure, constant, constant_id, operation, operation_id, parameter
from voxk8s.plan.keys.builder import expand, grow, inputs, key_graph
from voxk8s.plan.keys.key_graph import (
    KeyConstant,
    KeyGoal,
    KeyGraph,
    KeyNode,
    KeyOperation,
    blockers,
    result_graph,
)
from voxk8s.plan.keys.pins import InputRef, Pin
from voxk8s.plan.keys.prefetch import Prefetch
from voxk8s.plan.keys.resolve import Resolution, resolve
from voxk8s.plan.model import Constant, Digest, Goal, OperationId, ResultKey, Scalar, WorkPlan
from voxk8s.plan.signature import KernelIndex, Role
from voxk8s.plan.source_location import SourceLocation

__all__ = [
    "Constant",
    "Digest",
    "Goal",
    "InputRef",
    "KernelIndex",
    "KeyConstant",
    "KeyGoal",
    "KeyGraph",
    "KeyNode",
    "KeyOperation",
    "OperationId",
    "Pin",
    "Prefetch",
    "Resolution",
    "ResultKey",
    "Role",
    "Scalar",
    "SourceLocation",
    "WorkPlan",
    "blockers",
    "closure",
    "constant",
    "constant_id",
    "decode",
    "encode",
    "expand",
    "grow",
    "inputs",
    "key_graph",
    "operation",
    "operation_id",
    "parameter",
    "reachable",
    "resolve",
    "result_graph",
    "to_resource",
    "topological_order",
    "validate",
    "width",
]

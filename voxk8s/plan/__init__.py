"""What to compute: plans, ids, result keys and their resolution. Pure."""

from voxk8s.plan.document.decode import decode, validate
from voxk8s.plan.document.encode import encode, to_resource
from voxk8s.plan.graph import (
    reachable,
    topological_order,
    width,
)
from voxk8s.plan.identity import (
    closure,
    closure_id,
    constant,
    constant_id,
    operation,
    operation_id,
    parameter,
    parameter_id,
)
from voxk8s.plan.keys.builder import expand, grow, inputs, key_graph
from voxk8s.plan.keys.key_graph import (
    Deferred,
    KeyConstant,
    KeyGoal,
    KeyGraph,
    KeyNode,
    KeyOperation,
    blockers,
)
from voxk8s.plan.keys.pins import InputRef, Pin
from voxk8s.plan.keys.prefetch import Prefetch
from voxk8s.plan.keys.resolve import Resolution, resolve
from voxk8s.plan.keys.result_keys import SAVE_KERNEL, file_suffix, save_location_id
from voxk8s.plan.model import (
    Closure,
    Constant,
    Digest,
    Goal,
    Node,
    Operation,
    OperationId,
    Parameter,
    ResultKey,
    Scalar,
    WorkPlan,
)
from voxk8s.plan.signature import KernelIndex, Role, Signature, takes_geometry
from voxk8s.plan.source_location import MAX_CALLS, Call, SourceLocation

__all__ = [
    "MAX_CALLS",
    "SAVE_KERNEL",
    "Call",
    "Closure",
    "Constant",
    "Deferred",
    "Digest",
    "Goal",
    "InputRef",
    "KernelIndex",
    "KeyConstant",
    "KeyGoal",
    "KeyGraph",
    "KeyNode",
    "KeyOperation",
    "Node",
    "Operation",
    "OperationId",
    "Parameter",
    "Pin",
    "Prefetch",
    "Resolution",
    "ResultKey",
    "Role",
    "Scalar",
    "Signature",
    "SourceLocation",
    "WorkPlan",
    "blockers",
    "closure",
    "closure_id",
    "constant",
    "constant_id",
    "decode",
    "encode",
    "expand",
    "file_suffix",
    "grow",
    "inputs",
    "key_graph",
    "operation",
    "operation_id",
    "parameter",
    "parameter_id",
    "reachable",
    "resolve",
    "save_location_id",
    "takes_geometry",
    "to_resource",
    "topological_order",
    "validate",
    "width",
]

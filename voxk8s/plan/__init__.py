"""What to compute: plans, ids, result keys and their resolution. Pure.

Names are loaded on first use: a compiler needs no keys, and a run no documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voxk8s.lazy import lazy_names

if TYPE_CHECKING:
    from voxk8s.plan.document.decode import decode as decode
    from voxk8s.plan.document.decode import validate as validate
    from voxk8s.plan.document.encode import encode as encode
    from voxk8s.plan.document.encode import to_resource as to_resource
    from voxk8s.plan.graph import reachable as reachable
    from voxk8s.plan.graph import topological_order as topological_order
    from voxk8s.plan.graph import width as width
    from voxk8s.plan.identity import closure as closure
    from voxk8s.plan.identity import constant as constant
    from voxk8s.plan.identity import constant_id as constant_id
    from voxk8s.plan.identity import operation as operation
    from voxk8s.plan.identity import operation_id as operation_id
    from voxk8s.plan.identity import parameter as parameter
    from voxk8s.plan.keys.builder import expand as expand
    from voxk8s.plan.keys.builder import grow as grow
    from voxk8s.plan.keys.builder import inputs as inputs
    from voxk8s.plan.keys.builder import key_graph as key_graph
    from voxk8s.plan.keys.key_graph import KeyConstant as KeyConstant
    from voxk8s.plan.keys.key_graph import KeyGoal as KeyGoal
    from voxk8s.plan.keys.key_graph import KeyGraph as KeyGraph
    from voxk8s.plan.keys.key_graph import KeyNode as KeyNode
    from voxk8s.plan.keys.key_graph import KeyOperation as KeyOperation
    from voxk8s.plan.keys.key_graph import blockers as blockers
    from voxk8s.plan.keys.key_graph import result_graph as result_graph
    from voxk8s.plan.keys.pins import InputRef as InputRef
    from voxk8s.plan.keys.pins import Pin as Pin
    from voxk8s.plan.keys.prefetch import Prefetch as Prefetch
    from voxk8s.plan.keys.resolve import Resolution as Resolution
    from voxk8s.plan.keys.resolve import resolve as resolve
    from voxk8s.plan.model import Constant as Constant
    from voxk8s.plan.model import Digest as Digest
    from voxk8s.plan.model import Goal as Goal
    from voxk8s.plan.model import OperationId as OperationId
    from voxk8s.plan.model import ResultKey as ResultKey
    from voxk8s.plan.model import Scalar as Scalar
    from voxk8s.plan.model import WorkPlan as WorkPlan
    from voxk8s.plan.signature import KernelIndex as KernelIndex
    from voxk8s.plan.signature import Role as Role
    from voxk8s.plan.source_location import SourceLocation as SourceLocation

_HOMES = {
    "Constant": ".model",
    "Digest": ".model",
    "Goal": ".model",
    "InputRef": ".keys.pins",
    "KernelIndex": ".signature",
    "KeyConstant": ".keys.key_graph",
    "KeyGoal": ".keys.key_graph",
    "KeyGraph": ".keys.key_graph",
    "KeyNode": ".keys.key_graph",
    "KeyOperation": ".keys.key_graph",
    "OperationId": ".model",
    "Pin": ".keys.pins",
    "Prefetch": ".keys.prefetch",
    "Resolution": ".keys.resolve",
    "ResultKey": ".model",
    "Role": ".signature",
    "Scalar": ".model",
    "SourceLocation": ".source_location",
    "WorkPlan": ".model",
    "blockers": ".keys.key_graph",
    "closure": ".identity",
    "constant": ".identity",
    "constant_id": ".identity",
    "decode": ".document.decode",
    "encode": ".document.encode",
    "expand": ".keys.builder",
    "grow": ".keys.builder",
    "inputs": ".keys.builder",
    "key_graph": ".keys.builder",
    "operation": ".identity",
    "operation_id": ".identity",
    "parameter": ".identity",
    "reachable": ".graph",
    "resolve": ".keys.resolve",
    "result_graph": ".keys.key_graph",
    "to_resource": ".document.encode",
    "topological_order": ".graph",
    "validate": ".document.decode",
    "width": ".graph",
}
__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)

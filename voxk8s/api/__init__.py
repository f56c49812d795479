"""The WorkPlan resource: its types, its conditions and its CRD. Pure.

`spec` and `status` hold the types, with `base`; `workplan` decodes and encodes.
`crd` generates the CustomResourceDefinition from them, by `openapi_schema` and `cel_rules`.
`runner_status` builds the part of the status that the runner owns, within `status_limits`.
"""

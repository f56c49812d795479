"""The Kubernetes side of a run: client, manifests of a run's children, and a WorkPlan's source.

`kube_client` (with `transport`, `responses`, `kube_errors`, `resources`) calls the API server,
`reflector` lists and watches. `dask_cluster`, `runner_job`, `rbac` and `network_policies` build the
children of a WorkPlan from `pod_template`, `child_names`, `store_target` and `defaults`.
`plan_source` reads `spec.source`, `output_url` checks `spec.output`.
"""

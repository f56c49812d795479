"""Kubernetes types of the WorkPlan resource, conditions, and the CRD made from them. Pure."""

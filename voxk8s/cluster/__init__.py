"""The door to Kubernetes: client, child manifests, provisioning."""

"""A real Kubernetes for the demo and the tests: `python -m tests.cluster --help`."""

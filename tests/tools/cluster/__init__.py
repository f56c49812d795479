"""A real Kubernetes for the demo and the tests: `python -m tests.tools.cluster --help`."""

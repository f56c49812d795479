"""Plan documents: JSON and YAML to a checked plan, and back."""

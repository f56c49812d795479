"""How one operation is done: kernel specs, the registry and implementations."""

"""The command line: `voxk8s …`, also as `kubectl voxk8s …`.

Each command is a module with `run(arguments) -> int`, imported when it is called.
"""

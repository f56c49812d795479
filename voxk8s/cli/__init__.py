"""The command line: `voxk8s …`, also as `kubectl voxk8s …`.

`argument_parser` defines all commands and options; `commands/` has one module for each command.
"""

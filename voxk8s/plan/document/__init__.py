"""Plan documents: JSON and YAML to a checked plan, and back.

`decode` reads text into the structures of `wire` (`yaml_reader` for YAML) and `validate` makes a
plan of them, `scalars` its constants. `encode` writes documents.
"""

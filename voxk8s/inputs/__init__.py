"""What a URL names: `options` and `locations` say what may be read, `filesystems` opens it.

`pinning` asks for the state and the digest of an input, `listing` lists folders, `loading` reads
values of pinned inputs.
"""

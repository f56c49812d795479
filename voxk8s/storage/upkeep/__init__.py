"""Maintenance of a store: verification and garbage collection.

`inventory` lists the store, `verify` reads everything, `gc_policy` chooses what `gc` deletes.
"""

"""Result keys: the key graph of a plan, and what of it has to be computed.

`result_keys` defines the keys. `builder` builds a `key_graph` in a `key_table` of `partial_keys`,
with `input_keys`, `loops` and `sequence_items` for the operations of these kinds. `resolve` looks
the keys up in a store, `prefetch` looks ahead in deep plans.
"""

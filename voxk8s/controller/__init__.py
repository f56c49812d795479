"""The operator: watches WorkPlans and creates and deletes what their runs need.

Level-based: `observe` builds one value from informers, `decide` turns it into actions and is pure,
`act` carries them out; `resolve` looks plans up in the store, in other processes. Decisions depend
on what exists now, never on which event arrived.
"""

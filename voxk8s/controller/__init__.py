"""The operator: watches WorkPlans and brings the cluster to what they ask for.

Level-based: `observe` builds one value from caches, `decide` turns it into actions and is pure,
`act` carries them out. Nothing depends on which event came, only on what is there now.
"""

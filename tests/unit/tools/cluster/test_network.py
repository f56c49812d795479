"""Packet filter rules: what belongs to the cluster goes, all else stays."""

from tests.tools.cluster import network

RULES = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:KUBE-FIREWALL - [0:0]
:MINE - [0:0]
-A INPUT -j KUBE-FIREWALL
-A INPUT -p tcp -m comment --comment "not KUBE- at all" -j MINE
-A KUBE-FIREWALL -j DROP
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:CNI-0123 - [0:0]
-A POSTROUTING -s 10.244.0.2/32 -j CNI-0123
-A CNI-0123 ! -d 224.0.0.0/4 -j MASQUERADE
COMMIT
"""


def test_only_our_chains_are_removed() -> None:
    """Chains of Kubernetes and CNI go with every rule that jumps there; others stay in order."""
    assert (
        network.without_chains(RULES)
        == """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:MINE - [0:0]
-A INPUT -p tcp -m comment --comment "not KUBE- at all" -j MINE
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
"""
    )


def test_untouched_tables_are_told_from_used_ones() -> None:
    """A table is untouched when it has only built-in chains that accept and hold no rule."""
    kept = network.without_chains(RULES)
    assert network.tables_of(kept) == ["filter", "nat"]
    assert network.is_untouched(kept, "nat")
    assert not network.is_untouched(kept, "filter")
    assert not network.is_untouched("*nat\n:PREROUTING DROP [0:0]\nCOMMIT\n", "nat")

// Kueue, of which tests use the CRDs: as a module they come with a checksum.
module voxk8s.io/tests/cluster/kueue

go 1.26

require sigs.k8s.io/kueue v0.19.2

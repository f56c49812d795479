"""Keys for TLS between the pods of a run."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from cryptography import x509

from tests.support.example_runs import GOLDEN, RUNNER, SCHEDULER, WORKER, env, only, work_plan
from tests.support.example_runs import PLAIN as DEFAULTS
from voxk8s.cluster.tls import VALIDITY, build_tls_secret, secret_name

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _certificates() -> dict[str, x509.Certificate]:
    data = build_tls_secret(work_plan(), DEFAULTS, "c", NOW)["data"]
    return {
        name: x509.load_pem_x509_certificate(base64.b64decode(data[name]))
        for name in ("ca.crt", "tls.crt")
    }


def test_the_authority_signs_the_certificate() -> None:
    """Peers trust the certificate by the authority, whose key is in no file."""
    found = _certificates()
    found["tls.crt"].verify_directly_issued_by(found["ca.crt"])
    data = build_tls_secret(work_plan(), DEFAULTS, "c", NOW)["data"]
    assert sorted(data) == ["ca.crt", "tls.crt", "tls.key"]


def test_clusters_do_not_trust_each_other() -> None:
    """Each Secret has an authority of its own."""
    assert _certificates()["ca.crt"] != _certificates()["ca.crt"]


def test_certificates_outlive_the_run_and_the_skew_of_clocks() -> None:
    """A certificate is valid a while before it is made, and longer than any run."""
    found = _certificates()
    assert found["tls.crt"].not_valid_after_utc == NOW + VALIDITY
    assert found["tls.crt"].not_valid_before_utc < NOW
    assert found["ca.crt"].not_valid_after_utc >= found["tls.crt"].not_valid_after_utc


def test_a_replaced_cluster_keeps_its_keys() -> None:
    """The WorkPlan owns the Secret: the pod of the next runner waits for it, the cluster for that.

    After the credentials of a run were rejected, its new cluster is created when a runner has read
    the new ones.
    """
    metadata = build_tls_secret(work_plan(), DEFAULTS, "c", NOW)["metadata"]
    assert metadata["name"] == secret_name("c")
    assert [each["kind"] for each in metadata["ownerReferences"]] == ["WorkPlan"]


def test_every_pod_of_a_run_mounts_the_keys() -> None:
    """Scheduler, worker and runner mount the keys of their cluster and speak nothing but TLS."""
    cluster = only(GOLDEN["plain"], "DaskCluster")
    job = only(GOLDEN["plain"], "Job")
    specs = [
        cluster["spec"]["scheduler"]["spec"],
        cluster["spec"]["worker"]["spec"],
        job["spec"]["template"]["spec"],
    ]
    wanted = secret_name(cluster["metadata"]["name"])
    for spec in specs:
        assert [v["secret"]["secretName"] for v in spec["volumes"] if "secret" in v] == [wanted]
    for container in (SCHEDULER, WORKER, RUNNER):
        assert env(container)["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "true"
        assert container["volumeMounts"][-1]["readOnly"]
    assert WORKER["command"][-1] == env(RUNNER)["VOXK8S_SCHEDULER_ADDRESS"]
    assert WORKER["command"][-1].startswith("tls://")


def test_a_chart_without_tls_makes_plain_connections() -> None:
    """With `tls.enabled: false` no pod mounts keys, and addresses begin with tcp://."""
    job = only(GOLDEN["shaped"], "Job")["spec"]["template"]["spec"]
    assert not [volume for volume in job["volumes"] if "secret" in volume]
    assert env(job["containers"][0])["VOXK8S_SCHEDULER_ADDRESS"].startswith("tcp://")

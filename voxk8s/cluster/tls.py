"""TLS between scheduler, workers and runner of one DaskCluster: its keys, and who reads them.

Dask accepts a connection if the other side has a certificate of the cluster's authority, whichever
its name and role. Each cluster has an authority of its own; its key is dropped as soon as the one
certificate is signed, so that nobody can sign another. The Secret lives as long as the run: a
cluster that is replaced keeps its name and its keys, since the next runner's pod cannot start
without them.

The dask-kubernetes operator has no certificate. It asks a scheduler how many workers it wants, and
which to retire, by HTTP at the port of the dashboard, which network policies open to it alone.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Final

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.pod_template import Manifest, owned_object
from voxk8s.cluster.resources import SECRETS

VALIDITY: Final = timedelta(days=365)
"""Longer than any run, suspensions included; with the cluster its certificate is of no use."""
_CLOCK_SKEW: Final = timedelta(hours=1)
"""By how much a node's clock may be behind the operator's."""
_FOLDER: Final = "/etc/voxk8s/tls"
VOLUME: Final = "tls"
"""Name of the volume of a pod that has the keys."""
_AUTHORITY, _CERTIFICATE, _KEY = "ca.crt", "tls.crt", "tls.key"
_CONFIG: Final = "DASK_DISTRIBUTED__COMM__"


def secret_name(cluster: str, account: str = "") -> str:
    """Return the name of the Secret with the keys of a DaskCluster.

    `account` is the uid of the run's account: nobody can tell it before that exists, and so nobody
    can create a Secret of this name in advance.
    """
    return f"{cluster}-tls" + (f"-{child_names.short_hash(account, length=8)}" if account else "")


def tls_env() -> list[tuple[str, str]]:
    """Return Dask's settings for a pod that mounts the keys: it speaks nothing but TLS."""
    roles = [
        (f"{_CONFIG}TLS__{role}__{item}", f"{_FOLDER}/{file}")
        for role in ("SCHEDULER", "WORKER", "CLIENT")
        for item, file in (("CERT", _CERTIFICATE), ("KEY", _KEY))
    ]
    return [
        (f"{_CONFIG}DEFAULT_SCHEME", "tls"),
        (f"{_CONFIG}REQUIRE_ENCRYPTION", "true"),
        (f"{_CONFIG}TLS__CA_FILE", f"{_FOLDER}/{_AUTHORITY}"),
        *roles,
    ]


def mount_keys(pod_spec: Manifest, secret: str) -> None:
    """Mount the keys in a Secret in a pod spec of one container."""
    pod_spec["volumes"].append({"name": VOLUME, "secret": {"secretName": secret}})
    pod_spec["containers"][0]["volumeMounts"].append(
        {"name": VOLUME, "mountPath": _FOLDER, "readOnly": True}
    )


def build_tls_secret(
    workplan: WorkPlanResource, defaults: Defaults, cluster: str, now: datetime, name: str = ""
) -> Manifest:
    """Build the Secret `name` with a new key of a DaskCluster, valid from `now` for VALIDITY.

    Create it once: another call makes another authority, which the cluster's pods do not trust.
    """
    labels = child_names.child_labels(workplan, "tls", defaults.version)
    keys = _new_keys(cluster, now - _CLOCK_SKEW, now + VALIDITY)
    data = {name: base64.b64encode(text).decode() for name, text in keys.items()}
    return owned_object(workplan, SECRETS, name or secret_name(cluster), labels) | {
        "type": "Opaque",
        "data": data,
    }


def _new_keys(cluster: str, begin: datetime, end: datetime) -> dict[str, bytes]:
    """Make an authority and one certificate of it; returns PEM texts by file name."""
    # Only the operator makes keys; manifests are built elsewhere, too.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(subject: str, issuer: str) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )

    def usage(*, signs: bool) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=not signs, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, key_cert_sign=signs, crl_sign=False,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip

    authority_name = f"{cluster} CA"
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = (
        named(authority_name, authority_name)
        .public_key(authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs=True), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    both = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    certificate = (
        named(cluster, authority_name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(both),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return {
        _AUTHORITY: authority.public_bytes(pem),
        _CERTIFICATE: certificate.public_bytes(pem),
        _KEY: key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    }

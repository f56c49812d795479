"""Certificates of the bare cluster: one authority, a server certificate, a client for the kubelet.

Python 3.13 checks what older clients let pass: the authority says that it may sign, and the server
certificate says who signed it.
"""

from pathlib import Path

from tests.tools.cluster.commands import run

DAYS = "3650"


def ensure(folder: Path, addresses: tuple[str, ...]) -> None:
    """Create keys and certificates in a folder, unless it has them all."""
    if (folder / "complete").exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority(folder)
    names = (
        "kubernetes", "kubernetes.default", "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local", "localhost",
    )  # fmt: skip
    alternative = ",".join([*(f"DNS:{n}" for n in names), *(f"IP:{a}" for a in addresses)])
    signed(folder, "server", "/CN=kube-apiserver", "serverAuth", alternative)
    signed(folder, "kubelet", "/CN=node1", "serverAuth", f"DNS:node1,IP:{addresses[-1]}")
    signed(
        folder, "kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "clientAuth"
    )
    run(["openssl", "genrsa", "-out", folder / "service-accounts.key", "2048"])
    (folder / "complete").touch()


def authority(folder: Path) -> None:
    """Create the certificate authority `ca.crt`, `ca.key`."""
    run([
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", DAYS,
        "-keyout", folder / "ca.key", "-out", folder / "ca.crt", "-subj", "/CN=voxk8s-cluster",
        "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        "-addext", "subjectKeyIdentifier=hash",
    ])  # fmt: skip


def signed(folder: Path, name: str, subject: str, usage: str, alternative: str = "") -> None:
    """Create `name.key` and a `name.crt` that the authority signed."""
    extensions = folder / f"{name}.ext"
    lines = [
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature,keyEncipherment",
        f"extendedKeyUsage={usage}",
        "subjectKeyIdentifier=hash",
        "authorityKeyIdentifier=keyid",
    ]
    if alternative:
        lines.append(f"subjectAltName={alternative}")
    extensions.write_text("\n".join(lines) + "\n")
    request = folder / f"{name}.csr"
    run([
        "openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
        "-keyout", folder / f"{name}.key", "-out", request,
    ])  # fmt: skip
    run([
        "openssl", "x509", "-req", "-in", request, "-days", DAYS, "-extfile", extensions,
        "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial",
        "-out", folder / f"{name}.crt",
    ])  # fmt: skip
    request.unlink()
    extensions.unlink()

"""Pod Security "restricted", as the standard has it, for manifests that no API server has seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Manifest = Mapping[str, Any]

_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def violations(pod: Manifest) -> list[str]:
    """Return what in a pod spec violates the standard, or our stricter rules."""
    found: list[str] = []
    general = pod.get("securityContext") or {}
    found += [f"{name} is set" for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name)]
    for volume in pod.get("volumes") or ():
        kinds = set(volume) - {"name"}
        if not kinds <= _VOLUMES:
            found.append(f"volume {volume['name']} is a {kinds}")
    for container in (*pod["containers"], *(pod.get("initContainers") or ())):
        own = container.get("securityContext") or {}
        name = container["name"]
        if not own.get("runAsNonRoot", general.get("runAsNonRoot")):
            found.append(f"{name} may run as root")
        if own.get("runAsUser", general.get("runAsUser")) == 0:
            found.append(f"{name} runs as root")
        seccomp = own.get("seccompProfile") or general.get("seccompProfile") or {}
        if seccomp.get("type") not in {"RuntimeDefault", "Localhost"}:
            found.append(f"{name} has no seccomp profile")
        if own.get("privileged"):
            found.append(f"{name} is privileged")
        if own.get("allowPrivilegeEscalation") is not False:
            found.append(f"{name} may escalate")
        capabilities = own.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or ()):
            found.append(f"{name} keeps capabilities")
        if set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}:
            found.append(f"{name} adds capabilities")
        if any(port.get("hostPort") for port in container.get("ports") or ()):
            found.append(f"{name} has a host port")
        if own.get("readOnlyRootFilesystem") is not True:  # not in the standard; ours
            found.append(f"{name} can write to its image")
        if not (container.get("resources") or {}).get("limits", {}).get("memory"):
            found.append(f"{name} has no memory limit")
    return found


def pods(thing: Any, path: str = "$") -> Iterator[tuple[str, Manifest]]:
    """Return every pod spec inside a manifest, with its path."""
    if isinstance(thing, Mapping):
        if isinstance(thing.get("containers"), list):
            yield path, thing
        for key, value in thing.items():
            yield from pods(value, f"{path}.{key}")
    elif isinstance(thing, list):
        for place, value in enumerate(thing):
            yield from pods(value, f"{path}[{place}]")

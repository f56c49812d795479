"""Image builds by a Docker engine, where there is one."""

from pathlib import Path

from tests.support.paths import ROOT
from tests.tools.cluster import buildah
from tests.tools.cluster.commands import run, succeeds
from tests.tools.cluster.images import LOCAL_PREFIX, Target
from tests.tools.cluster.paths import LOCAL
from tests.tools.cluster.progress import step


def answers() -> bool:
    """Return whether there is a Docker engine to use."""
    return succeeds(["docker", "info"])


def name(target: Target, tag: str) -> str:
    """Return what the engine calls a built image."""
    return f"{LOCAL_PREFIX.removeprefix('docker.io/')}/{target.name}:{tag}"


def built(target: Target) -> str:
    """Return the tag (a hash of the content) of a target's image, building it where needed."""
    record = LOCAL / "docker" / f"{target.name}-{target.digest()}"
    if record.exists() and succeeds(
        ["docker", "image", "inspect", name(target, record.read_text())]
    ):
        return record.read_text()
    with step(f"build image {target.name}"):
        # The engine brings its own base image; whom to trust and where packages are is the host's.
        options = [*buildah.trust(), *buildah.index_settings()]
        log = LOCAL / "docker" / f"{target.name}.log"
        env = {"DOCKER_BUILDKIT": "1"}
        identity = LOCAL / "docker" / f"{target.name}.id"
        identity.parent.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [
            "docker",
            "build",
            *options,
            "--target",
            target.name,
            "--iidfile",
            identity,
            ROOT,
        ]
        run(command, env=env, log=log)
        image = identity.read_text().strip()
        tag = image.removeprefix("sha256:")[:16]
        run(["docker", "tag", image, name(target, tag)])
        record.write_text(tag)
    return tag

"""Credentials of the runs of a namespace."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.scripted_kube import ScriptedKube
from tests.support.waiting import until
from voxk8s.cluster.kube_errors import KubeUnreachable, NotFound
from voxk8s.controller.act.run_credentials import RunCredentials
from voxk8s.controller.config import StoreConfig
from voxk8s.controller.trust import Domain, SessionConfig, Trust
from voxk8s.errors import StoreAccessDenied
from voxk8s.storage import StoreOptions, TrustDomains

if TYPE_CHECKING:
    from voxk8s.cluster.kube_client import KubeClient

OPERATOR = StoreOptions(key="OPERATOR", secret="s")
SESSION = SessionConfig(role_arn="arn:aws:iam::role/runs", read_prefixes=("s3://bkt/inputs/",))
START = datetime(2026, 1, 1, tzinfo=UTC)


class Scene:
    """A namespace with a scripted API server, and an STS that counts sessions."""

    def __init__(self, tmp_path: Path, **config: Any) -> None:
        self.kube = ScriptedKube()
        self.now = START
        self.policies: list[Any] = []
        given: dict[str, Any] = {"url": "s3://bkt/results", "options": OPERATOR, **config}
        self.credentials = RunCredentials(
            cast("KubeClient", self.kube),
            StoreConfig(**given),
            now=lambda: self.now,
            assume=self._assume,
            folder=tmp_path,
        )

    def _assume(
        self, _: StoreOptions, role: str, policy: Any, *, domain: str, seconds: int, endpoint: Any
    ) -> tuple[StoreOptions, datetime]:
        assert role == SESSION.role_arn
        self.policies.append(policy)
        made = StoreOptions(key=f"{domain}-{len(self.policies)}", secret="s", token="t")
        return made, self.now + timedelta(seconds=seconds)

    def key(self, namespace: str) -> str:
        """The access key in the Secret of a namespace."""
        data = self.kube.objects["Secret", namespace, "voxk8s-store"]["data"]
        return base64.b64decode(data["AWS_ACCESS_KEY_ID"]).decode()


async def test_sessions_are_confined_to_the_domain(tmp_path: Path) -> None:
    """With a role each domain has a session of its own; the operator's keys reach nobody."""
    scene = Scene(tmp_path, session=SESSION, trust=Trust(per_namespace=True))
    await scene.credentials.write("lab")
    await scene.credentials.write("ward")
    assert (scene.key("lab"), scene.key("ward")) == ("lab-1", "ward-2")
    written = scene.policies[0]["Statement"][0]["Resource"]
    assert written == ["arn:aws:s3:::bkt/results/domains/lab/*"]


async def test_a_session_is_renewed_before_it_ends(tmp_path: Path) -> None:
    """Half its life is used, then the next run gets a new one."""
    scene = Scene(tmp_path, session=SESSION)
    await scene.credentials.write("lab")
    await scene.credentials.write("lab")
    assert scene.key("lab") == "shared-1"
    scene.now += timedelta(seconds=SESSION.duration_seconds * 0.6)
    await scene.credentials.write("lab")
    assert scene.key("lab") == "shared-2"


async def test_a_secret_that_was_deleted_is_written_again(tmp_path: Path) -> None:
    """With the next run that starts a minute later, also if the namespace itself was gone."""
    scene = Scene(tmp_path)
    await scene.credentials.write("lab")
    scene.kube.objects.clear()
    scene.now += timedelta(minutes=2)
    await scene.credentials.write("lab")
    assert scene.key("lab") == "OPERATOR"


async def test_static_keys_of_a_domain(tmp_path: Path) -> None:
    """A domain's Secret takes precedence, and its keys are read anew each time."""
    (tmp_path / "team").mkdir()
    trust = Trust(domains={"team": Domain(namespaces=("lab",), existing_secret="team-keys")})
    scene = Scene(tmp_path, trust=trust, session=SESSION)
    with pytest.raises(StoreAccessDenied, match="team-keys"):
        await scene.credentials.write("lab")
    for key in ("ONE", "TWO"):
        (tmp_path / "team" / "AWS_ACCESS_KEY_ID").write_text(key)
        (tmp_path / "team" / "AWS_SECRET_ACCESS_KEY").write_text("s")
        await scene.credentials.write("lab")
        assert scene.key("lab") == key
    (tmp_path / "team" / "AWS_SECRET_ACCESS_KEY").write_bytes(b"\xff")
    with pytest.raises(StoreAccessDenied, match="team-keys of trust domain team has a key that"):
        await scene.credentials.write("lab")


async def test_the_operators_keys_are_for_one_domain_only(tmp_path: Path) -> None:
    """Where namespaces do not trust each other, none gets the keys that are good for all."""
    alone = Scene(tmp_path)
    await alone.credentials.write("lab")
    assert alone.key("lab") == "OPERATOR"
    divided = Scene(tmp_path, trust=Trust(per_namespace=True))
    with pytest.raises(StoreAccessDenied, match="roleArn"):
        await divided.credentials.write("lab")
    assert not divided.kube.objects


async def test_a_workload_identity_needs_no_secret(tmp_path: Path) -> None:
    """Without keys of its own the operator writes none."""
    scene = Scene(tmp_path, options=StoreOptions())
    await scene.credentials.write("lab")
    assert not scene.kube.objects


async def test_look_ups_have_the_rights_of_the_run(tmp_path: Path) -> None:
    """The operator looks results of a namespace up with a session of its domain, made once."""
    trust = Trust(domains={"team": Domain(("lab",), trusts=("shared",))})
    scene = Scene(tmp_path, session=SESSION, trust=trust)
    found = await asyncio.gather(*(scene.credentials.look_up_options("lab") for _ in range(3)))
    assert {(each.options.key, each.of_domain) for each in found} == {("team-1", True)}
    assert (await scene.credentials.look_up_options("ward")).options.key == "shared-2"
    await scene.credentials.write("lab")
    assert scene.key("lab") == "team-1"


async def test_the_warm_up_leaves_sessions_as_they_are(tmp_path: Path) -> None:
    """What it asks for has no rights in other domains, and is not what runs get."""
    trust = Trust(domains={"shared": Domain(("lab",), trusts=("team",))})
    scene = Scene(tmp_path, session=SESSION, trust=trust)
    found = await scene.credentials.warm_up_options()
    assert found == (StoreOptions(key="shared-1", secret="s", token="t"), TrustDomains())
    await scene.credentials.write("lab")
    assert scene.key("lab") == "shared-2"
    alone = Scene(tmp_path, trust=Trust(per_namespace=True))
    assert await alone.credentials.warm_up_options() is None


async def test_an_account_with_an_identity_gets_no_keys(tmp_path: Path) -> None:
    """No Secret is written for its domain; look-ups use the operator's identity, or a session."""
    trust = Trust(
        domains={"team": Domain(("lab",), service_account="reader")}, service_account="others"
    )
    for session, key in ((SessionConfig(), "OPERATOR"), (SESSION, "team-1")):
        scene = Scene(tmp_path, trust=trust, session=session)
        await scene.credentials.write("lab")
        await scene.credentials.write("ward")
        assert not scene.kube.objects
        found = await scene.credentials.look_up_options("lab")
        assert (found.options.key, found.of_domain) == (key, key != "OPERATOR")


async def test_the_secret_says_where_the_store_is_and_when_keys_end(tmp_path: Path) -> None:
    """Whoever may read it needs no more to bring images in: also after a renewal."""
    trust = Trust(domains={"team": Domain(("lab",), trusts=("shared",))})
    scene = Scene(tmp_path, session=SESSION, trust=trust)
    for number in (1, 2):
        await scene.credentials.write("lab")
        secret = scene.kube.objects["Secret", "lab", "voxk8s-store"]
        shown = {name: base64.b64decode(text).decode() for name, text in secret["data"].items()}
        assert shown["AWS_ACCESS_KEY_ID"] == f"team-{number}"
        assert shown["VOXK8S_STORE"] == "s3://bkt/results"
        assert (shown["VOXK8S_STORE_DOMAIN"], shown["VOXK8S_STORE_TRUSTS"]) == ("team", "shared")
        until = secret["metadata"]["annotations"]["voxk8s.io/keys-until"]
        assert datetime.fromisoformat(until) == scene.now + timedelta(hours=1)
        scene.now += timedelta(hours=1)


async def test_keys_are_there_for_people_before_a_run(tmp_path: Path) -> None:
    """In namespaces that the chart names, and in those that have a WorkPlan, unless forbidden."""
    trust = Trust(per_namespace=True, domains={"team": Domain(("lab",))})
    scene = Scene(tmp_path, session=SESSION, trust=trust, allowed=("*", "ward"), denied=("bad",))
    keeping = asyncio.create_task(scene.credentials.keep_fresh())
    await until(lambda: len(scene.kube.objects) == 2)
    assert (scene.key("lab"), scene.key("ward")) == ("team-1", "ward-2")
    scene.credentials.want("bad")
    scene.credentials.want("new")
    await until(lambda: len(scene.kube.objects) == 3)
    assert scene.key("new") == "new-3"
    keeping.cancel()


async def test_a_namespace_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    """Its keys are not made again and again; a WorkPlan in a new one of its name is served."""
    scene = Scene(tmp_path, allowed=("*",))
    scene.kube.fail("create Secret", NotFound("namespaces gone not found", 404))
    keeping = asyncio.create_task(scene.credentials.keep_fresh())
    scene.credentials.want("gone")
    await until(lambda: scene.kube.calls["create Secret"] == 1)
    scene.credentials.want("gone")
    await until(lambda: scene.kube.calls["create Secret"] == 2)
    assert scene.key("gone") == "OPERATOR"
    keeping.cancel()


async def test_a_secret_deleted_by_hand_is_written_at_a_reconciliation(tmp_path: Path) -> None:
    """A minute after it was last seen, the next reconciliation of a WorkPlan looks at it again."""
    scene = Scene(tmp_path, allowed=("*",))
    keeping = asyncio.create_task(scene.credentials.keep_fresh())
    scene.credentials.want("lab")
    await until(lambda: len(scene.kube.objects) == 1)
    scene.kube.objects.clear()
    scene.credentials.want("lab")
    assert not scene.credentials._news.is_set(), "it was seen a moment ago"
    scene.now += timedelta(minutes=1)
    scene.credentials.want("lab")
    await until(lambda: len(scene.kube.objects) == 1)
    assert scene.kube.calls["create Secret"] == 2
    keeping.cancel()


async def test_a_secret_that_cannot_be_written_is_tried_once_a_minute(tmp_path: Path) -> None:
    """However many WorkPlans of its namespace are reconciled meanwhile."""
    scene = Scene(tmp_path, allowed=("*",))
    keeping = asyncio.create_task(scene.credentials.keep_fresh())
    scene.credentials.want("lab")
    await until(lambda: len(scene.kube.objects) == 1)
    scene.kube.objects.clear()
    scene.kube.fail("create Secret", KubeUnreachable("away"))
    for calls in (2, 3):
        scene.now += timedelta(minutes=1)
        scene.credentials.want("lab")
        await until(lambda: scene.kube.calls["create Secret"] == calls)  # noqa: B023 -- at once
        scene.credentials.want("lab")
        assert not scene.credentials._news.is_set()
    assert scene.key("lab") == "OPERATOR"
    keeping.cancel()


@dataclass
class LastWorkPlan:
    """Keys in `lab`, of which the cache has no WorkPlan any more."""

    scene: Scene
    users: set[str] = field(default_factory=lambda: {"lab"})

    async def is_gone(self) -> None:
        """Let the keys be kept, and wait until they would be if they still were."""
        self.scene.credentials.users = lambda: self.users
        self.scene.credentials.want("lab")
        await self.scene.credentials.write("lab")
        self.users.clear()
        await self.scene.credentials._forget_unused()


@pytest.fixture
def last(tmp_path: Path) -> LastWorkPlan:
    """A namespace with a session of its own."""
    trust = Trust(per_namespace=True)
    return LastWorkPlan(Scene(tmp_path, session=SESSION, trust=trust, allowed=("*",)))


async def test_keys_go_with_the_last_work_plan(last: LastWorkPlan) -> None:
    """The Secret is deleted, and its session not renewed; the next WorkPlan gets new ones."""
    await last.is_gone()
    assert last.scene.kube.deleted == [("Secret", "voxk8s-store")]
    last.users.add("lab")
    last.scene.credentials.want("lab")
    last.scene.now += timedelta(hours=1)
    keeping = asyncio.create_task(last.scene.credentials.keep_fresh())
    await until(lambda: len(last.scene.kube.objects) == 1)
    assert last.scene.key("lab") == "lab-2"
    keeping.cancel()


async def test_keys_stay_while_the_api_server_has_a_work_plan(last: LastWorkPlan) -> None:
    """A cache without it deletes nothing."""
    last.scene.kube.put({"kind": "WorkPlan", "metadata": {"name": "w", "namespace": "lab"}})
    await last.is_gone()
    assert last.scene.kube.deleted == []


async def test_a_secret_of_somebody_else_stays(last: LastWorkPlan) -> None:
    """One of that name without the operator's label is not the operator's."""
    last.scene.kube.put(
        {"kind": "Secret", "metadata": {"name": "voxk8s-store", "namespace": "lab"}}
    )
    await last.is_gone()
    assert last.scene.kube.deleted == []


async def test_keys_that_could_not_be_deleted_are_tried_again(last: LastWorkPlan) -> None:
    """Until the API server answers, or a WorkPlan is there again."""
    last.scene.kube.fail("list WorkPlan", KubeUnreachable("away"))
    await last.is_gone()
    assert last.scene.kube.deleted == []
    await last.scene.credentials._forget_unused()
    assert last.scene.kube.deleted == [("Secret", "voxk8s-store")]


async def test_keys_that_an_earlier_operator_left_go_at_the_start(last: LastWorkPlan) -> None:
    """The last WorkPlan went while none ran; those of a namespace with a WorkPlan stay."""
    kube = last.scene.kube
    for namespace in ("left", "ward"):
        labels = {"app.kubernetes.io/managed-by": "voxk8s-operator"}
        metadata = {"name": "voxk8s-store", "namespace": namespace, "labels": labels}
        kube.put({"kind": "Secret", "metadata": metadata})
    kube.put({"kind": "WorkPlan", "metadata": {"name": "w", "namespace": "ward"}})
    kube.fail("list Secret", KubeUnreachable("away"))
    last.scene.credentials.users = lambda: {"ward"}
    await last.scene.credentials._forget_unused()
    assert kube.deleted == []
    for _ in range(2):
        await last.scene.credentials._forget_unused()
    assert [key[1] for key in kube.objects if key[0] == "Secret"] == ["ward"]
    assert kube.calls["list Secret"] == 2

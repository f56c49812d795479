"""Plans that take long to look up, in many namespaces or in one, do not delay a small one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from voxk8s.cluster.plan_source import Document
from voxk8s.controller.resolve.process_pool import ProcessPool
from voxk8s.controller.resolve.resolution_state import Resolved, Resolving
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.storage import StoreOptions

_OPERATIONS = 200_000
"""Several seconds of processor time, less than what a process gets before it is given up."""


@pytest.fixture
def pool() -> Iterator[ProcessPool]:
    """As many processes as the chart has."""
    made = ProcessPool(2, 2**30)
    yield made
    made.close()


def request(program: str) -> ResolveRequest:
    """Return a request for a program and an empty store."""
    return ResolveRequest(
        document=Document(program.encode(), "imgql"),
        url=None, digest=None, parameters=None, cache="Use", output_url=None,
        store_url="memory://empty", options=StoreOptions(),
    )  # fmt: skip


@pytest.mark.parametrize("namespaces", [[f"stranger-{n}" for n in range(6)], ["stranger"] * 6])
async def test_short_programs_that_expand_to_much(
    pool: ProcessPool, namespaces: Sequence[str]
) -> None:
    """The last one to come is resolved while most of the large ones, which came first, are not."""
    resolver = Resolver(pool, lambda: datetime.now(UTC))

    def start(uid: str, namespace: str, program: str) -> asyncio.Event:
        async def make_request() -> ResolveRequest:
            return request(program)

        done = asyncio.Event()
        resolver.start(uid, namespace, 0, make_request, done.set)
        return done

    for number, namespace in enumerate(namespaces):
        large = f'print "x" for i in range(0, {_OPERATIONS}) do i + {number}'
        start(f"large-{number}", namespace, large)
    async with asyncio.timeout(60):
        await start("small", "lab", 'print "x" 1 + 2').wait()
    assert isinstance(resolver.state("small"), Resolved)
    names = [f"large-{number}" for number in range(len(namespaces))]
    # A quick machine may end one or two of them before.
    assert sum(isinstance(resolver.state(name), Resolving) for name in names) >= len(names) - 2
    for name in names:
        resolver.forget(name)
    await resolver.close()

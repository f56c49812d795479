"""Blobs whose bytes somebody changed in place."""

from __future__ import annotations

import secrets

from tests.contract.test_store_conformance import flip
from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution import ExecutionEngine
from voxk8s.plan import Digest
from voxk8s.storage import open_store
from voxk8s.storage.layout import blob_path
from voxk8s.values import SavedFile


def test_a_changed_file_is_not_served_as_known_work() -> None:
    """Its URL is handed out without reading it, so the look-up itself must notice; a run heals."""
    url = f"memory://{secrets.token_hex(8)}"
    make = PlanMaker()
    make.save("x.json", make("addition", 1.0, 2.0))
    engine = ExecutionEngine(open_store(url, env={}), write_files=False)
    (first,) = engine.execute_workplan(make.plan()).goals
    path = blob_path(Digest(first.digest))
    backend = open_store(url, env={})._backend
    data = backend.get(path)
    assert data is not None
    assert first.key is not None
    backend.write(path, (flip(bytes(data)),), first.media_type)
    assert open_store(url, env={}).contains([first.key]) == set()
    again = ExecutionEngine(open_store(url, env={}), write_files=False)
    (healed,) = again.execute_workplan(make.plan()).goals
    assert not healed.cached
    assert healed.load() == SavedFile(b"3.0\n", ".json", "application/json")
    assert open_store(url, env={}).contains([first.key]) == {first.key}

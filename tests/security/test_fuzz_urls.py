"""Random URLs, by seed: what is allowed is what the HTTP client will ask for."""

from __future__ import annotations

import random

from tests.support.fuzz_urls import leads_below, url, use_url


def test_urls_below_a_prefix() -> None:
    """No spelling of a URL that is allowed leads to another host or above the prefix."""
    urls = [str(url(random.Random(seed))) for seed in range(5000)]
    assert sum(map(leads_below, urls)) > 500


def test_any_url() -> None:
    """Without restrictions every text is a location or an error in words."""
    for seed in range(2000):
        use_url(url(random.Random(seed)))

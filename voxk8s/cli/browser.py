"""Pages for the browser of the user."""

from __future__ import annotations

import sys
import tempfile
import webbrowser


def show_page(page: bytes) -> None:
    """Write a page to a temporary file, print its name and open it in the browser."""
    with tempfile.NamedTemporaryFile("wb", prefix="voxk8s-", suffix=".html", delete=False) as file:
        file.write(page)
    print(file.name, flush=True)
    if not webbrowser.open(f"file://{file.name}"):
        print("voxk8s: no browser was found: open the file above in one", file=sys.stderr)

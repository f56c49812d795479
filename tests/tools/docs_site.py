"""The site of the pages: `make docs` writes it to build/site, to be opened without a server.

Pages keep their places in the repository, so that links between them are the same here and there. A
link that leads nowhere, or to a heading that does not exist, fails the build. Nothing is fetched
from other hosts when a page is opened; the search needs a server, such as `python -m http.server`.
Needs the group `docs` of uv.lock, and nothing else of the repository.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE, SITE, CONFIG = (ROOT / "build" / name for name in ("pages", "site", "mkdocs.json"))
COPIED: Final = (
    *("*.md", "LICENSE", "docs/**/*", "tests/README.md"),
    *("helm/voxk8s/README.md", "manifests/README.md"),
)
NAVIGATION: Final = [
    {"voxk8s": "README.md"},
    {"Tutorial": "docs/tutorial.md"},
    {
        "Your machine": [
            {"On a laptop": "docs/laptop.md"},
            {"Your own data": "docs/data.md"},
            {"DICOM": "docs/dicom.md"},
            {"From Python": "docs/python.md"},
            {"Editors": "docs/editors.md"},
            {"Kernels of your own": "docs/own-kernels.md"},
        ]
    },
    {
        "Clusters": [
            {"Install": "docs/cluster.md"},
            {"Several teams": "docs/teams.md"},
            {"GPUs": "docs/gpu.md"},
            {"GitOps": "docs/gitops.md"},
            {"What it costs": "docs/costs.md"},
            {"Backup and upgrade": "docs/upkeep.md"},
            {"When it waits or fails": "docs/troubleshooting.md"},
            {"Values of the chart": "helm/voxk8s/README.md"},
            {"Manifests, Kueue": "manifests/README.md"},
            {"Security": "SECURITY.md"},
        ]
    },
    {
        "Reference": [
            {"Language": "docs/language.md"},
            {"Kernels": "docs/kernels.md"},
            {"Plans": "docs/plans.md"},
            {"Changes": "CHANGELOG.md"},
        ]
    },
    {
        "Development": [
            {"Contributing": "CONTRIBUTING.md"},
            {"Tests": "tests/README.md"},
            {"Architecture": "docs/architecture.md"},
            {"Decisions": "docs/decisions.md"},
            {"Modules": "docs/modules.md"},
        ]
    },
]


def configuration() -> dict[str, object]:
    """Return the configuration of MkDocs; JSON is YAML."""
    return {
        "site_name": "voxk8s",
        "docs_dir": str(SOURCE),
        "site_dir": str(SITE),
        "use_directory_urls": False,
        "theme": {
            "name": "material",
            "font": False,
            "palette": [
                {
                    "media": f"(prefers-color-scheme: {scheme})",
                    "scheme": name,
                    "toggle": {"icon": "material/brightness-6", "name": "Switch light and dark"},
                }
                for scheme, name in (("light", "default"), ("dark", "slate"))
            ],
            "features": ["content.code.copy", "navigation.sections", "toc.follow"],
        },
        "plugins": ["search"],
        "markdown_extensions": ["tables", "fenced_code", "admonition"],
        "validation": {
            "nav": {"omitted_files": "warn"},
            "links": {"not_found": "warn", "anchors": "warn", "unrecognized_links": "warn"},
        },
        "extra": {"generator": False},
        "nav": NAVIGATION,
    }


def plain_fences(page: str) -> str:
    """Return a page whose fences have a language only: MkDocs takes no words for tests after it."""
    return re.sub(r"^```([\w-]+) .*$", r"```\1", page, flags=re.MULTILINE)


def main() -> int:
    """Copy the pages, build the site, and return the status of MkDocs."""
    for folder in (SOURCE, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    for pattern in COPIED:
        for path in ROOT.glob(pattern):
            if path.is_file():
                target = SOURCE / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
                if path.suffix == ".md":
                    target.write_text(plain_fences(path.read_text("utf-8")), "utf-8")
    CONFIG.write_text(json.dumps(configuration(), indent=2))
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(CONFIG)]
    # Of a successor of MkDocs it would speak on every build.
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    # With --quiet it would not count warnings, and a broken link would pass.
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        return done.returncode
    print(f"file://{SITE}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())

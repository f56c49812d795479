"""Command line: `python -m tests.tools.cluster up|down|status|tools|images|install`."""

import argparse
import os
import sys

from tests.tools.cluster import providers
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.network import bypass_proxies


def main(arguments: list[str] | None = None) -> int:
    """Run one command; failures are one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.cluster", description=__doc__)
    parser.add_argument("command", choices=sorted(providers.COMMANDS))
    parser.add_argument(
        "--cluster",
        choices=("auto", *providers.PROVIDERS),
        default=os.environ.get("CLUSTER") or "auto",
        help="which Kubernetes (default: $CLUSTER, else kind where Docker answers, else bare)",
    )
    options = parser.parse_args(arguments)
    bypass_proxies()
    try:
        providers.COMMANDS[options.command](options.cluster)
    except (ClusterError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The commands and options of the command line. Imports nothing heavy, to start fast."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from typing import NoReturn

from voxk8s import constants

FILE_HELP = (
    "a program (.imgql, or - for standard input), or a plan document or WorkPlan manifest"
    " (.json, .yaml, .yml)"
)


_ASSIGNMENT = re.compile(r"^unrecognized arguments: (?:.* )?(?P<pair>[A-Za-z_]\w*=\S*)")


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit with status 2."""
        if given := _ASSIGNMENT.search(message):
            message += f"; did you mean --param {given['pair']}?"
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def build_parser() -> argparse.ArgumentParser:
    """Create the parser of all commands; `module` names the module that runs a command."""
    common = _common()
    parser = Parser(
        prog="voxk8s",
        description="Run VoxLogicA work plans, locally or on Kubernetes.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )

    def add(name: str, module: str, text: str, build: Callable[[Parser], None]) -> None:
        command = commands.add_parser(name, help=text, description=text, parents=[common])
        command.set_defaults(module=module)
        build(command)

    add("run", "run", "run a program or plan locally, without a cluster", _run)
    add("compile", "compile", "print a program or plan as a plan document", _compile)
    add("check", "check", "print the errors and warnings of a program or plan", _check)
    add("fmt", "fmt", "format a program", _fmt)
    add("kernels", "kernels", "list what programs may call, with signatures", _kernels)
    add("help", "kernels", "explain a kernel, a function of a library or an operator", _help)
    add("new-kernels", "new_kernels", "write a package for kernels of your own", _new_kernels)
    add(
        "explain",
        "explain",
        "show which operations are known, and why the others are not",
        _explain,
    )
    add("view", "view", "show images as layers of one page, in the browser", _view)
    add("upload", "upload", "bring images to a cluster's store, and print their URLs", _upload)
    add("submit", "submit", "create a WorkPlan from a program, a plan or a manifest", _submit)
    add("status", "status", "show the status of WorkPlans", _status)
    add("watch", "watch", "wait for a WorkPlan and show its progress", _watch)
    add("results", "results", "show the results of a WorkPlan, or fetch its files", _results)
    add("report", "report", "open the report of a run in the browser, or compare two", _report)
    add("dashboard", "dashboard", "open the Dask dashboard of a WorkPlan that runs", _dashboard)
    add("logs", "logs", "show the logs of the pods of a WorkPlan", _logs)
    add("cancel", "cancel", "suspend a WorkPlan and release its cluster; results are kept", _cancel)
    add("retry", "retry", "run a finished WorkPlan again; results are kept", _one)
    _store(
        commands.add_parser("store", help="show, verify, clean or correct the result store"),
        common,
    )
    add("lsp", "lsp", "serve editors: errors as you type, help, completion, rename", lambda _: None)
    add("completion", "completion", "print a script that completes command lines", _completion)
    add("crd", "crd", "print the CustomResourceDefinition of WorkPlan", lambda _: None)
    return parser


def _common() -> Parser:
    common = Parser(add_help=False)
    common.add_argument(
        "-v", "--verbose", action="count", default=0, help="log progress; twice: every operation"
    )
    common.add_argument(
        "-q", "--quiet", action="count", default=0, help="log errors only, no progress"
    )
    return common


def _source(command: Parser) -> None:
    command.add_argument("file", metavar="FILE", help=FILE_HELP)
    command.add_argument(
        "--param",
        metavar="NAME=VALUE",
        action="append",
        type=_parameter,
        default=[],
        help="value of $NAME in a program; may be repeated",
    )
    command.add_argument(
        "--allow",
        metavar="PATH|URL",
        action="append",
        default=[],
        help="let the program read and write below PATH, or read below URL; may be repeated"
        " (default: its own folder, the current one, --output and values of --param)",
    )
    command.add_argument(
        "--allow-all", action="store_true", help="let the program read and write everywhere"
    )


def _check(command: Parser) -> None:
    _source(command)
    command.add_argument(
        "--no-inputs", action="store_true", help="do not look at the files that it reads"
    )
    _item_failure_option(command)


def _kernels(command: Parser) -> None:
    command.add_argument(
        "pattern",
        metavar="PATTERN|NAME",
        nargs="?",
        default="",
        help="a name, an operator, a pattern such as 'dist*', or a word of the description",
    )
    command.add_argument("--json", action="store_true", help="print JSON")


def _help(command: Parser) -> None:
    command.add_argument("pattern", metavar="NAME", help="a name or an operator")
    command.set_defaults(json=False)


def _new_kernels(command: Parser) -> None:
    command.add_argument(
        "name", metavar="NAME", help="namespace of the kernels; the folder is NAME-kernels"
    )


def _completion(command: Parser) -> None:
    command.add_argument(
        "shell",
        metavar="SHELL",
        choices=("bash", "zsh", "fish"),
        help="bash, zsh or fish: source <(voxk8s completion bash)",
    )


def _store_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--store",
        metavar="URL",
        help="result store: s3://bucket/prefix, redis://host, file:///folder or a path"
        " (default: VOXK8S_STORE, else a folder in the user's cache)",
    )


def _domain_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--domain",
        metavar="NAME",
        help="trust domain in the store (default: VOXK8S_STORE_DOMAIN, else shared)",
    )


def _trusts_option(command: argparse.ArgumentParser) -> None:
    _domain_option(command)
    command.add_argument(
        "--trusts",
        metavar="NAMES",
        help="other trust domains whose results are believed, in order, separated by commas"
        " (default: VOXK8S_STORE_TRUSTS, else none)",
    )


def _json_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _megabytes(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected megabytes, such as 5, got {text!r}") from None


def _run(command: Parser) -> None:
    _source(command)
    _store_option(command)
    _trusts_option(command)
    command.add_argument(
        "--output",
        metavar="DIR",
        help="folder for saved files with a relative path (default: the current folder)",
    )
    _json_option(command)
    command.add_argument(
        "--report", metavar="FILE", help="write a report of the run to FILE, one HTML page"
    )
    command.add_argument(
        "--report-voxels",
        metavar="MB",
        type=_megabytes,
        help="show scans and results as layers in the report, with up to MB megabytes of compressed"
        " voxels in the page (default: VOXK8S_REPORT_VOXELS, or none)",
    )
    command.add_argument(
        "--trace",
        metavar="FILE",
        help="write a line for each operation to FILE: state, times, bytes, worker, place; columns"
        " are separated by tabs, in a .csv file by commas",
    )
    command.add_argument(
        "--lock",
        metavar="FILE",
        help="write inputs by digest, versions and results to FILE, or compare with what is there",
    )
    cache = command.add_mutually_exclusive_group()
    cache.add_argument("--refresh", action="store_true", help="compute known operations again")
    cache.add_argument("--no-cache", action="store_true", help="neither read nor write the store")
    _failure_options(command)


def _failure_options(command: Parser) -> None:
    command.add_argument("--fail-fast", action="store_true", help="stop at the first failure")
    _item_failure_option(command)


def _item_failure_option(command: Parser) -> None:
    command.add_argument(
        "--on-item-failure",
        choices=["skip", "fail"],
        help="what a loop does with an item that fails (default: fail)",
    )


def _compile(command: Parser) -> None:
    _source(command)
    command.add_argument(
        "--format", choices=["json", "yaml", "dot"], default="json", help="(default: json)"
    )


def _fmt(command: Parser) -> None:
    command.add_argument(
        "file", metavar="FILE", help="an ImgQL program (.imgql); - for standard input"
    )
    way = command.add_mutually_exclusive_group()
    way.add_argument("--write", action="store_true", help="write the file in place")
    way.add_argument("--check", action="store_true", help="exit status 1 if it would change")


def _view(command: Parser) -> None:
    command.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="images, the lowest layer first: files, folders with DICOM files, URLs, and"
        " workplan/NAME or workplan/NAME/GOAL for what a WorkPlan has saved",
    )
    _cluster(command)
    command.add_argument(
        "--export", metavar="PAGE", help="write the page to this file and open no browser"
    )
    command.add_argument(
        "--limit",
        metavar="MB",
        type=int,
        default=100,
        help="most megabytes of compressed voxels in the page (default: 100)",
    )


def _explain(command: Parser) -> None:
    _source(command)
    command.add_argument(
        "--all", action="store_true", help="list operations that are not needed, too"
    )
    _store_option(command)
    _trusts_option(command)
    _json_option(command)


def _adopt(command: Parser) -> None:
    command.add_argument(
        "--from", dest="source", metavar="DOMAIN", required=True, help="domain to copy from"
    )
    command.add_argument("--into", metavar="DOMAIN", required=True, help="domain to copy into")
    command.add_argument(
        "--kernel",
        metavar="NAME",
        help="only results of this kernel, or of all that match: 'vox1.*'",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="print what would be copied, copy nothing"
    )


def _store(command: Parser, common: Parser) -> None:
    actions = command.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )

    def add(name: str, text: str) -> Parser:
        action = actions.add_parser(name, help=text, description=text, parents=[common])
        action.set_defaults(module="store", action=name)
        _store_option(action)
        if name != "adopt":
            _domain_option(action)
        _json_option(action)
        return action

    add("stats", "count records and blobs")
    _adopt(add("adopt", "copy results of one trust domain into another"))
    wrong = add("invalidate", "delete the results of a kernel and what was computed from them")
    wrong.add_argument(
        "--kernel",
        metavar="NAME",
        help="results of this kernel, or of all that match: 'simpleitk.*'",
    )
    wrong.add_argument(
        "--version", metavar="N", type=int, help="only those of this version of the kernel"
    )
    wrong.add_argument(
        "--library",
        metavar="NAME<VERSION",
        help="only those made with such a version of a library: 'SimpleITK<2.5' (or <=, ==)",
    )
    wrong.add_argument(
        "--dry-run", action="store_true", help="print what would be deleted, delete nothing"
    )
    add("verify", "read the whole store, quarantine corrupt objects, and report faults")
    collect = add("gc", "delete unreferenced blobs, results by age or size, and old runs")
    collect.add_argument(
        "--older-than",
        metavar="AGE",
        type=age,
        help="delete results that were not used for this long: 90d, 12h, 30m or 45s",
    )
    collect.add_argument(
        "--max-size",
        metavar="SIZE",
        type=size,
        help="delete the least recently used results until the store is this small: 500GB or 20GiB",
    )
    collect.add_argument(
        "--runs-older-than",
        metavar="AGE",
        type=age,
        help="delete reports and other files of runs that ended this long ago (default:"
        " --older-than; without it they are kept)",
    )
    collect.add_argument(
        "--pins-older-than",
        metavar="AGE",
        type=age,
        help="forget digests of inputs that were not read, and costs that no run has written, for"
        " this long (default: --older-than, or 90d)",
    )
    collect.add_argument(
        "--grace",
        metavar="AGE",
        type=age,
        default=constants.STORE_GRACE_SECONDS,
        help="keep what was written or used within this time (default: 2d); less is safe only"
        " while the store is not in use",
    )
    collect.add_argument(
        "--dry-run", action="store_true", help="print what would be deleted, delete nothing"
    )


def _cluster(command: Parser) -> None:
    command.add_argument("-n", "--namespace", metavar="NAMESPACE", help="(default: the context's)")
    command.add_argument("--context", metavar="CONTEXT", help="context of the kubeconfig")


def _one(command: Parser) -> None:
    command.add_argument("name", metavar="NAME", help="name of the WorkPlan")
    _cluster(command)


def _submit(command: Parser) -> None:
    _source(command)
    _cluster(command)
    command.add_argument("--name", help="name of the WorkPlan (default: from the name of the file)")
    command.add_argument("--max-workers", metavar="N", type=int, help="maximum number of workers")
    command.add_argument("--min-workers", metavar="N", type=int, help="minimum number of workers")
    command.add_argument("--threads", metavar="N", type=int, help="threads per worker")
    command.add_argument("--image", metavar="IMAGE", help="image of the pods of the run")
    command.add_argument("--output", metavar="URL", help="s3:// prefix to copy saved files to")
    command.add_argument("--cache", choices=["Use", "Refresh", "Bypass"], help="(default: Use)")
    _failure_options(command)
    command.add_argument(
        "--dry-run", action="store_true", help="print the manifest, create nothing"
    )
    command.add_argument(
        "--upload",
        action="store_true",
        help="bring files of this machine that it reads to the cluster's store (voxk8s upload)",
    )
    command.add_argument("--wait", action="store_true", help="wait and print the results")


def _status(command: Parser) -> None:
    command.add_argument("name", metavar="NAME", nargs="?", help="one WorkPlan (default: all)")
    _cluster(command)
    _json_option(command)
    command.add_argument("-A", "--all-namespaces", action="store_true", help="list all namespaces")


def _watch(command: Parser) -> None:
    _one(command)
    command.add_argument("--timeout", metavar="SECONDS", type=float, help="stop waiting after this")


def _results(command: Parser) -> None:
    _one(command)
    _json_option(command)
    command.add_argument(
        "--download", metavar="DIR", help="fetch saved files into a folder and verify their digests"
    )
    command.add_argument(
        "--report", metavar="FILE", help="fetch the report of the run, an HTML page"
    )


def _report(command: Parser) -> None:
    command.add_argument(
        "names",
        metavar="NAME|FILE",
        nargs="+",
        help="a WorkPlan, or the file of a report; of two, or of two folders of results, the"
        " comparison is shown",
    )
    _cluster(command)
    command.add_argument(
        "-o", "--output", metavar="FILE", help="write it to FILE and open no browser"
    )


def _dashboard(command: Parser) -> None:
    _one(command)
    command.add_argument(
        "--no-browser", action="store_true", help="print the URL only, and keep the port open"
    )


def _upload(command: Parser) -> None:
    command.add_argument(
        "files", metavar="FILE|FOLDER", nargs="+", help="files, or folders with all they have"
    )
    _cluster(command)
    command.add_argument(
        "--to",
        metavar="PREFIX",
        default="",
        help="folder below the uploads of the namespace's trust domain, or an s3:// URL",
    )
    command.add_argument(
        "--replace", action="store_true", help="replace files of the same name with other content"
    )


def _logs(command: Parser) -> None:
    _one(command)
    command.add_argument(
        "--component",
        choices=["runner", "scheduler", "worker"],
        default="runner",
        help="(default: runner)",
    )
    command.add_argument("-f", "--follow", action="store_true", help="follow the log")
    command.add_argument("--tail", metavar="LINES", type=int, help="the last lines only")


def _cancel(command: Parser) -> None:
    _one(command)
    command.add_argument(
        "--delete", action="store_true", help="delete the WorkPlan (default: suspend it)"
    )


def _parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, value


def age(text: str) -> float:
    """Parse a time span: a number with s, m, h, d or w; seconds without a unit."""
    return _quantity(text, _AGES, "an age such as 90d, 12h, 30m or 45s")


def size(text: str) -> int:
    """Parse a number of bytes: with KB, MB, GB, TB (powers of 1000) or KiB to TiB (of 1024)."""
    return int(_quantity(text.upper().removesuffix("B"), _SIZES, "a size such as 500GB or 20GiB"))


def _quantity(text: str, units: dict[str, float], wanted: str) -> float:
    number = text.rstrip("".join(units))
    unit = text[len(number) :]
    if not _NUMBER.fullmatch(number) or unit not in units:
        raise argparse.ArgumentTypeError(f"expected {wanted}, got {text!r}")
    return float(number) * units[unit]


_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_AGES = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SIZES = {
    "": 1.0,
    **{f"{sign}": 1000.0**power for power, sign in enumerate("KMGT", 1)},
    **{f"{sign}I": 1024.0**power for power, sign in enumerate("KMGT", 1)},
}


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(f"voxk8s {constants.RELEASE}")
        parser.exit()

"""The command line, `tf-repro` or `python -m tf_repro`."""

import argparse
import signal
import sys

from tf_repro.audit import command as audit
from tf_repro.doctor import command as doctor
from tf_repro.doctor import files, golden, machines, raising_ops
from tf_repro.verify import command as verify
from tf_repro.verify import options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def main(argv: list[str]) -> int:
    """Run the command that `argv` names; return its exit status."""
    parser = argparse.ArgumentParser(prog="tf-repro", description="Reproducible TensorFlow runs.")
    commands = parser.add_subparsers(dest="command", required=True)
    doctor_parser = commands.add_parser(
        "doctor", help="what this interpreter guarantees, what it does not, and why"
    )
    instead = doctor_parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--ops", action="store_true", help="list the ops that raise, with what to use instead"
    )
    instead.add_argument(
        "--files",
        action="store_true",
        help="list what is no longer as the image was built; seconds",
    )
    instead.add_argument(
        "--golden",
        action="store_true",
        help="compute some hundred ops and compare them with the published bits; 20 seconds",
    )
    audit_parser = commands.add_parser(
        "audit", help="run a program and list what would be random in it in an ordinary image"
    )
    for command in (doctor_parser, audit_parser):
        command.add_argument("--json", action="store_true", help="for programs to read")
    audit_parser.add_argument("program", nargs="+", help="after --: python train.py ...")
    options.add_parsers(commands)
    chosen = parser.parse_args(argv)
    try:
        return _run(chosen)
    except KeyboardInterrupt:
        sys.stderr.write("tf-repro: interrupted\n")
        return 128 + signal.SIGINT
    except OSError as error:  # no room, no right to write, no folder for temporary files
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"tf-repro: {where}{error.strerror}\n")
        return verify.COULD_NOT_RUN


def _run(chosen: argparse.Namespace) -> int:
    if chosen.command == "doctor":
        return _doctor(chosen)(as_json=chosen.json)
    if chosen.command == "compare" and chosen.machines:
        return machines.run(chosen.passports)
    if chosen.command in verify.COMMANDS:
        return verify.run(chosen)
    return audit.run(chosen.program, as_json=chosen.json)


def _doctor(chosen: argparse.Namespace) -> "Callable[..., int]":
    if chosen.files:
        return files.run
    if chosen.golden:
        return golden.run
    return raising_ops.run if chosen.ops else doctor.run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`make verify INTERRUPT=<number>`: is a training that is killed the one that was never stopped?

All of it runs in one container, whose processes share the working folder, as those of a machine do
that is taken away and comes back.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scripts.engine import containers
from scripts.proof import verify
from scripts.ui import stage

if TYPE_CHECKING:
    from scripts.build.build import Built
    from scripts.engine.engine import Engine
    from scripts.proof.verify import Asked


def interrupt(host: Engine, built: Built, asked: Asked) -> int:
    """Run a script once to its end and `asked.runs` times with an interruption; leave the reports.

    Returns:
        0 if all of them are the same, 1 if not.

    Raises:
        KitError: the script is not there, fails, or has no way to resume.
    """
    inputs = verify.folder_of(asked.script)
    options = [*verify.WRITES_REPORTS, f"--jobs={asked.jobs}", *asked.judging]
    with stage(f"{asked.script}, once to its end and {asked.runs} times interrupted"):
        ended = containers.run(
            host.client,
            built.name,
            ["tf-repro", "verify", f"--interrupt={asked.runs}", *options, "--", *asked.command],
            env={**verify.settings(os.environ, built), "COLUMNS": "140"},
            inputs=inputs,
            outputs=verify.REPORTS,
        )
    verify.leave(ended, asked)
    return verify.show(ended, asked)

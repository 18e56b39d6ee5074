"""The kit's command line; `make help` shows the same verbs."""

from __future__ import annotations

from scripts.command_line import main
from scripts.verbs import keeping, making, proving, vouching

# A verb is one as soon as its file is imported.
__all__ = ["keeping", "main", "making", "proving", "vouching"]

if __name__ == "__main__":
    main()

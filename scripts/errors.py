"""What goes wrong, and the user can mend."""

from __future__ import annotations


class KitError(Exception):
    """Something that the user can mend: one line with what is wrong, where, and what to do.

    `__main__` prints it and exits with `exit_code`; anything else that escapes is our bug and
    shows its traceback.
    """

    exit_code = 2

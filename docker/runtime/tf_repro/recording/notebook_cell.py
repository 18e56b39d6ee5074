"""Which cell of a notebook is running."""

import sys


def number() -> int:
    """Return n of the In[n] that this kernel is running; 0 where there is no kernel."""
    shells = sys.modules.get("IPython.core.interactiveshell")
    if shells is None or not shells.InteractiveShell.initialized():
        return 0
    # Its execution_count may be that of the next one already, as in IPython 9.
    return len(shells.InteractiveShell.instance().history_manager.input_hist_raw) - 1

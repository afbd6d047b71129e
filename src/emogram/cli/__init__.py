"""The command line: thin commands over the library. Results go to standard output, everything else to standard error.

Exit status: 0 when everything asked for succeeded, 1 when some inputs failed, 2 for wrong usage or configuration.
"""

from emogram.cli.application import main

__all__ = ["main"]

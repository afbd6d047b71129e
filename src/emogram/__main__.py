"""`python -m emogram` is `emogram`."""

import sys

from emogram.cli import main

sys.exit(main())

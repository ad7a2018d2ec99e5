"""`python -m commcredits`."""

import sys

from commcredits.cli import main

sys.exit(main())

"""`python -m ivr_engine`: the same as `ivr`."""

import sys

from ivr_engine.app.cli import main

sys.exit(main())

"""`python -m taxiway` is the command line."""

import sys

from taxiway.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""Run the sandbox alone: `python -m crmsync.sandbox --data FILE`."""

import sys

from crmsync.sandbox.server import main

sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python
"""Django's command line for crmsync."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("crmsync is not installed here. Run 'make check' once, or use .venv/bin/python.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

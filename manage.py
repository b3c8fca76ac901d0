#!/usr/bin/env python
"""Django's command line for crmsync."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import InterfaceError, OperationalError
    except ImportError:
        sys.exit("crmsync is not installed here. Run 'make check' once, or use .venv/bin/python.")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")
    except (OperationalError, InterfaceError) as error:
        sys.exit(
            f"The database does not answer: {error}. Nothing was half stored. Run 'manage.py "
            "migrate' if it is new; start it, or end the program that locks it, and try again."
        )


if __name__ == "__main__":
    main()

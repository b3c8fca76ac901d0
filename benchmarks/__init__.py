"""Scripts that measure the running product; they are no tests, and no test runs them."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
django.setup()

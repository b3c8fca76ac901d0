"""The Celery application. Messages carry an id and nothing else; see docs/adr/0002."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")

app = Celery("crmsync", task_cls="celery.contrib.django.task:DjangoTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery would set the level of everything to that of its own command line. Who listens to this
# signal has set up the log: Django has, by our settings.
setup_logging.connect(lambda **_: None, weak=False)
app.autodiscover_tasks(["crmsync.sync", "coupling", "fullsync", "setup_wizard"])

"""The Celery application. Messages carry an id and nothing else; see docs/adr/0002."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")

app = Celery("crmsync", task_cls="celery.contrib.django.task:DjangoTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["crmsync.sync", "coupling", "fullsync", "setup_wizard"])

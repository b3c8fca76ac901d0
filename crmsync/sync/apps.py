from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "crmsync.sync"
    label = "sync"

from django.apps import AppConfig


class FullsyncConfig(AppConfig):
    name = "fullsync"

from django.apps import AppConfig


class MappingConfig(AppConfig):
    name = "crmsync.mapping"
    label = "mapping"

from django.apps import AppConfig
from django.core.checks import register


class MappingConfig(AppConfig):
    name = "crmsync.mapping"
    label = "mapping"

    def ready(self) -> None:
        from crmsync.mapping.checks import check_declarations

        register(check_declarations)

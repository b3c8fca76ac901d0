from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FrameConfig(AppConfig):
    name = "crmsync.frame"
    label = "frame"

    def ready(self) -> None:
        from crmsync.frame.people import install_groups

        # Permissions are rows that Django writes after each migrate; the groups follow them.
        post_migrate.connect(install_groups)

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class FrameConfig(AppConfig):
    name = "crmsync.frame"
    label = "frame"

    def ready(self) -> None:
        from crmsync.frame.roles import install_groups
        from crmsync.frame.sessions import begin_at_sign_in

        # Permissions are rows that Django writes after each migrate; the groups follow them.
        post_migrate.connect(install_groups)
        user_logged_in.connect(begin_at_sign_in)

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    name = "crmsync.ledger"
    label = "ledger"

    def ready(self) -> None:
        from crmsync.ledger.stamps import install_stamp_triggers

        post_migrate.connect(install_stamp_triggers, sender=self)

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "crmsync.audit"
    label = "audit"

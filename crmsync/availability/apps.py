from django.apps import AppConfig


class AvailabilityConfig(AppConfig):
    name = "crmsync.availability"
    label = "availability"

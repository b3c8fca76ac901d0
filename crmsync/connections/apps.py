from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    name = "crmsync.connections"
    label = "connections"

"""Attempts to connect, right but for what a test makes wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core import serializers

from crmsync.connections.models import Connection
from crmsync.terms import Scope
from setup_wizard import services
from tests.sandboxes import Sandbox

APPLICATION = Connection.IdentityKind.APPLICATION
PASSWORD = Connection.IdentityKind.PASSWORD


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a person typed in."""

    sandbox: Sandbox
    changes: Mapping[str, Any] = field(default_factory=dict)

    def inputs(self) -> dict[str, Any]:
        ready = self.sandbox.ready
        application, admin = ready["application"], ready["administrator"]
        return {
            "url": ready["origin"],
            "application_id": application["client_id"],
            "administrator": services.Administrator(admin["username"], admin["password"]),
            "integration_user": services.IntegrationUser(
                APPLICATION, application["client_id"], application["client_secret"]
            ),
            "scopes": list(Scope),
            **self.changes,
        }

    def connect(self) -> services.Connected:
        return services.connect(**self.inputs())


def user(identity: Mapping[str, str]) -> services.IntegrationUser:
    """A user with a password as the integration user."""
    return services.IntegrationUser(PASSWORD, identity["username"], identity["password"])


def application(identity: Mapping[str, str]) -> services.IntegrationUser:
    return services.IntegrationUser(APPLICATION, identity["client_id"], identity["client_secret"])


def everything_stored() -> str:
    """All rows of all our tables, as text."""
    stored = [model for model in apps.get_models() if model._meta.managed]
    rows = [row for model in stored for row in model._default_manager.all()]
    return str(serializers.serialize("json", rows))

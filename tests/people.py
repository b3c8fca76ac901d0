"""People who sign in, as tests need them."""

from django.test import Client

from crmsync.frame.people import Role, add_person


def client_of(role: Role, *, name: str = "") -> Client:
    """A client that is signed in as somebody in this group."""
    person = add_person(name=name or f"a-{role.lower()}", role=role, password="correct horse 7")
    client = Client()
    client.force_login(person, backend="crmsync.frame.access.GroupBackend")
    return client

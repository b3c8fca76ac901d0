"""What ``manage.py up`` says of the way in."""

from io import StringIO

import pytest
from django.contrib.auth.models import User

from crmsync.management.commands.up import Command

pytestmark = pytest.mark.django_db


def greeted(*, demo: bool) -> str:
    said = StringIO()
    Command(stdout=said)._greet({"port": 8000, "demo": demo})
    return said.getvalue()


def test_the_first_start_for_real_use_prints_the_first_sign_in_once() -> None:
    first, second = greeted(demo=False), greeted(demo=False)

    assert "name admin, password" in first
    assert "password" not in second


def test_a_stack_with_a_sandbox_says_how_to_get_in_and_puts_no_password_into_its_log() -> None:
    said = greeted(demo=True)

    assert "manage.py add_person NAME --group Administrators" in said
    assert "password" not in said
    assert not User.objects.exists()

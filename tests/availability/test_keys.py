"""Web service keys: one opens one account, until it is changed or the account disabled."""

import hashlib
import re

import pytest
from django.db import connection

from crmsync.audit.actors import Actor, Door
from crmsync.audit.models import Entry
from crmsync.availability import keys
from crmsync.availability.errors import NoSuchHolder
from crmsync.availability.models import WebServiceKey
from crmsync.frame import accounts
from crmsync.frame.people import Role, add_non_interactive, add_person

pytestmark = pytest.mark.django_db

ADMIN = Actor("admin", Door.PAGE, 4711)


@pytest.fixture
def sales() -> int:
    return add_non_interactive(name="sales", by=ADMIN)


def test_a_key_opens_the_account_that_it_was_made_for(sales: int) -> None:
    key = keys.change_key(user_id=sales, by=ADMIN)

    assert keys.holder_of(name="sales", key=key) == sales
    assert keys.holder_of(name="sales", key=f"{key}x") is None
    assert keys.holder_of(name="Sales", key=key) is None
    assert keys.holder_of(name="nobody", key=key) is None
    assert keys.holder_of(name="sales", key="") is None


def test_a_key_is_256_random_bits_and_only_its_hash_is_kept(sales: int) -> None:
    key = keys.change_key(user_id=sales, by=ADMIN)

    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key)
    kept = WebServiceKey.objects.get()
    assert kept.hashed == hashlib.sha256(key.encode()).hexdigest()
    assert kept.changed_by == "admin"
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own tables
            assert key not in str(cursor.fetchall()), table


def test_a_new_key_ends_the_former_one_at_once(sales: int) -> None:
    former = keys.change_key(user_id=sales, by=ADMIN)
    new = keys.change_key(user_id=sales, by=ADMIN)

    assert keys.holder_of(name="sales", key=former) is None
    assert keys.holder_of(name="sales", key=new) == sales
    first, second = Entry.objects.filter(act="access_key_changed").order_by("pk")
    assert (first.before, first.after["web_service_key"]) == ({"web_service_key": None}, "set")
    assert (second.before["web_service_key"], second.after["web_service_key"]) == ("set", "changed")


def test_the_key_of_a_disabled_person_opens_nothing(sales: int) -> None:
    add_person(name="anna", role=Role.ADMINISTRATORS, password="correct horse 7")
    key = keys.change_key(user_id=sales, by=ADMIN)

    accounts.disable(user_id=sales, by=ADMIN)
    assert keys.holder_of(name="sales", key=key) is None

    accounts.enable(user_id=sales, by=ADMIN)
    assert keys.holder_of(name="sales", key=key) == sales


def test_the_password_is_no_key_and_a_hash_is_none() -> None:
    user = add_person(name="bo", role=Role.OPERATIONS, password="correct horse 7")

    assert keys.holder_of(name="bo", key="correct horse 7") is None
    keys.change_key(user_id=user.pk, by=ADMIN)
    assert keys.holder_of(name="bo", key=WebServiceKey.objects.get().hashed) is None


@pytest.mark.parametrize("name", ["sales", "nobody", "a\x00b", "ø"])
def test_as_much_is_asked_for_a_name_that_nobody_has(
    sales: int, name: str, django_assert_num_queries: object
) -> None:
    keys.change_key(user_id=sales, by=ADMIN)

    with django_assert_num_queries(1):  # type: ignore[operator]
        assert keys.holder_of(name=name, key="\ud800") is None


def test_nobody_has_no_key() -> None:
    with pytest.raises(NoSuchHolder):
        keys.change_key(user_id=4711, by=ADMIN)

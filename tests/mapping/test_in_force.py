"""When a process decides by what administrators changed."""

import json
from typing import Any

import pytest
from django.core.management import call_command

from crmsync.mapping import in_force, registry
from crmsync.mapping.models import ChangedSetting
from crmsync.mapping.overlay import OFF, Change, Setting
from crmsync.terms import Direction

FAX_OFF = Change("CUSTOMER", "fax_no", Setting.TAKES_PART, OFF)


def keep(change: Change) -> None:
    """As another process would."""
    ChangedSetting.objects.create(
        mapping=change.mapping, field=change.field, setting=change.setting, value=change.value
    )


def fax_takes_part() -> bool:
    return registry.get_mapping("CUSTOMER").field("fax_no").takes_part


@pytest.mark.django_db
def test_a_process_goes_by_what_it_took_up(django_assert_num_queries: Any) -> None:
    keep(FAX_OFF)
    with django_assert_num_queries(0):
        assert fax_takes_part()

    with django_assert_num_queries(1):
        in_force.take_up()

    with django_assert_num_queries(0):
        assert not fax_takes_part()
    assert registry.get_declared("CUSTOMER").field("fax_no").takes_part


@pytest.mark.django_db
def test_pages_look_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(in_force, "PAGE_SECONDS", 1.0)
    monkeypatch.setattr("crmsync.mapping.in_force.time.monotonic", lambda: now[0])
    in_force.take_up()
    keep(FAX_OFF)

    now[0] += 0.9
    in_force.take_up_now_and_then()
    assert fax_takes_part()

    now[0] += 0.2
    in_force.take_up_now_and_then()
    assert not fax_takes_part()


@pytest.mark.django_db
def test_a_row_that_does_not_hold_changes_nothing() -> None:
    keep(Change("CUSTOMER", "number", Setting.TAKES_PART, OFF))
    keep(Change("VENDOR", "", Setting.DIRECTION, "to_crm"))

    in_force.take_up()

    assert registry.all_mappings() == registry.declared()


@pytest.mark.django_db
def test_the_terminal_shows_what_differs_from_the_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    keep(FAX_OFF)
    keep(Change("CUSTOMER", "city", Setting.DIRECTION, Direction.TO_CRM))

    call_command("mappings")
    lines = capsys.readouterr().out.splitlines()

    assert "  fax_no          -              fax *" in lines
    assert "  city            to_crm         address1_city *" in lines
    assert "  * fax_no: takes_part off" in lines
    assert "  name            bidirectional  name" in lines
    call_command("mappings", "--json")
    (customer,) = [one for one in json.loads(capsys.readouterr().out) if one["name"] == "CUSTOMER"]
    assert [one["ledger"] for one in customer["fields"] if one["differs"]] == ["city", "fax_no"]
    assert customer["changes"] == [
        {"field": "city", "setting": "direction", "value": "to_crm"},
        {"field": "fax_no", "setting": "takes_part", "value": "off"},
    ]

"""The address of the environment is hostile input: what is refused, put right, or offered."""

from typing import Any

import pytest

from setup_wizard.models import SetupProgress
from tests.setup_wizard.guide import Guide, leads_to, text

CHARACTERS = "The address holds characters that no address of Sales has."
UNREADABLE = "The address cannot be read."
SECURE = "The address must begin with https://."
BARE = "The address may hold no user name and no port."
NO_HOST = "is not a host of Dynamics 365 Sales."
LIKE = "Give the address as Sales shows it, like https://yourname.crm4.dynamics.com."
OFFERED = "The address holds more than a host name. Only https://cronus.crm.sandbox.test is needed."

HOSTILE = [
    ("http://cronus.crm.sandbox.test", SECURE),
    ("ftp://cronus.crm.sandbox.test", SECURE),
    ("//cronus.crm.sandbox.test", SECURE),
    ("javascript:alert(1)", SECURE),
    ("file:///etc/passwd", SECURE),
    ("<script>alert(1)</script>", SECURE),
    ("https://evil.example", f"evil.example {NO_HOST}"),
    ("evil.example", f"evil.example {NO_HOST}"),
    ("https://cronus.crm.sandbox.test@evil.example", BARE),
    ("https://user:secret@cronus.crm.sandbox.test", BARE),
    ("https://cronus.crm.sandbox.test:8443", BARE),
    ("https://cronus.crm.sandbox.test:", BARE),
    ("https://cronus.crm.sandbox.test\\@evil.example", CHARACTERS),
    ("https://x.crm4.dynamics.com\r\nHost: evil", CHARACTERS),
    ("https://x.crm4.dynamics.com evil", CHARACTERS),
    ("https://\u2179.crm4.dynamics.com", CHARACTERS),
    ("https://x.crm4.dynamics.com.evil.example", f"evil.example {NO_HOST}"),
    ("https://xcrm4.dynamics.com", f"xcrm4.dynamics.com {NO_HOST}"),
    ("https://crm4.dynamics.com", f"crm4.dynamics.com {NO_HOST}"),
    ("https://x.crm100.dynamics.com", f"x.crm100.dynamics.com {NO_HOST}"),
    ("https://127.0.0.1", f"127.0.0.1 {NO_HOST}"),
    ("https://169.254.169.254/latest/meta-data", "The address may hold nothing behind the host"),
    ("https://[::1]", BARE),
    ("https://[", UNREADABLE),
    ("https://", "The address is not one of Dynamics 365 Sales."),
    ("x" * 400, "Ensure this value has at most 300 characters"),
]


@pytest.mark.parametrize(("url", "says"), HOSTILE)
def test_a_hostile_address_is_a_clear_message_at_the_url_and_asks_nobody(
    guide: Guide, url: str, says: str
) -> None:
    mark = guide.sandbox.mark()

    page = text(guide.post("environment", {"url": url}))

    assert 'id="id_url_error"' in page
    assert says in page
    assert "at most" in says or LIKE in page
    assert "<script>alert" not in page
    assert guide.sandbox.journal(mark) == []
    assert not SetupProgress.objects.exists()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("https://cronus.crm.sandbox.test/", "The slash at the end of the address was left out."),
        ("cronus.crm.sandbox.test", "https:// was put in front of the address."),
        ("  cronus.crm.sandbox.test/ ", "https:// was put in front of the address."),
        ("HTTPS://CRONUS.crm.sandbox.test", ""),
    ],
)
def test_what_can_be_put_right_is_put_right_and_said(guide: Guide, typed: str, says: str) -> None:
    answer = guide.post("environment", {"url": typed})

    assert leads_to(answer) == "/setup/administrator/"
    assert says in text(guide.get("administrator"))
    assert (
        SetupProgress.objects.get().answers["environment"]["url"] == guide.sandbox.ready["origin"]
    )


@pytest.mark.parametrize("behind", ["/main.aspx?appid=7&pagetype=dashboard", "?x=1", "#x", "/a/b/"])
@pytest.mark.parametrize("scheme", ["https://", ""])
def test_what_stands_behind_the_host_is_dropped_only_when_a_person_agrees(
    guide: Guide, scheme: str, behind: str
) -> None:
    typed = {"url": f"{scheme}cronus.crm.sandbox.test{behind}"}
    mark = guide.sandbox.mark()

    page = text(guide.post("environment", typed))

    assert OFFERED in page
    assert "Use https://cronus.crm.sandbox.test</button>" in page
    assert guide.sandbox.journal(mark) == []
    agreed: Any = guide.post("environment", {**typed, "drop_path": "on"})
    assert leads_to(agreed) == "/setup/administrator/"
    assert "What stood behind the host name was left out." in text(guide.get("administrator"))


@pytest.mark.parametrize(
    "typed", ["https://evil.example/main.aspx", "https://a@cronus.crm.sandbox.test/main.aspx"]
)
def test_agreeing_to_drop_a_path_makes_no_other_address_good(guide: Guide, typed: str) -> None:
    mark = guide.sandbox.mark()

    page = text(guide.post("environment", {"url": typed, "drop_path": "on"}))

    assert 'id="id_url_error"' in page
    assert '<button class="button" name="drop_path"' not in page
    assert guide.sandbox.journal(mark) == []

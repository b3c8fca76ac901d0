"""Every way through the guide, to its end or broken off: no secret shows at any moment of it."""

import logging
from typing import Any

import pytest

from crmsync.connections.models import Connection
from crmsync.dbclock import db_in
from crmsync.frame.people import Role
from setup_wizard.models import SetupProgress
from tests.people import client_of
from tests.safety import search
from tests.safety.canaries import Canaries, listening
from tests.setup_wizard.finishes import finish, imports_go, one_act
from tests.setup_wizard.guide import STEPS, Guide
from tests.setup_wizard.microsoft import BACK, HERE, begin, come_back

Identity = dict[str, Any]


def as_application(guide: Guide) -> Identity:
    return {}


def with_certificate(guide: Guide) -> Identity:
    identity = guide.sandbox.ready["certificate_application"]
    pem = {"kind": "certificate", "certificate": identity["pem"]}
    return {**pem, "application": identity["client_id"]}


def as_user(guide: Guide) -> Identity:
    identity = guide.sandbox.ready["integration_user"]
    return {"kind": "password", **{name: identity[name] for name in ("username", "password")}}


@pytest.fixture
def canaries(
    guide: Guide, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Canaries:
    caplog.set_level(logging.DEBUG)
    imports_go(guide.sandbox, seconds=0, hidden=0)
    return listening(Canaries(guide, caplog), monkeypatch)


def with_microsoft(canaries: Canaries) -> None:
    """There and back; the code is shown to the one browser that brought it, and to no other."""
    guide = canaries.guide
    brought = begin(guide).sign_in(guide.sandbox.ready["administrator"])
    canaries.known.add(brought["code"])
    assert brought["code"] in guide.client.get(BACK, brought, **HERE).content.decode()
    canaries.show(come_back(guide, brought))


def with_password(canaries: Canaries) -> None:
    canaries.show(canaries.guide.post("administrator"))


def walk(canaries: Canaries, sign_in: Any, identity: Any) -> None:
    """Up to the page that asks for the confirmation."""
    guide = canaries.guide
    canaries.show(guide.post("environment"))
    sign_in(canaries)
    assert canaries.leaks() == []
    given = identity(guide)
    pem = given.get("certificate", "").splitlines()
    canaries.known |= {line for line in pem[2:-2] if len(line) == 64 and "-----" not in line}
    canaries.show(guide.post("integration-user", given))
    for step in ("tables", "checks"):
        canaries.show(guide.post(step))
    assert set(SetupProgress.objects.get().answers) >= set(STEPS[:-1])


WAYS = pytest.mark.parametrize(
    ("sign_in", "identity"),
    [
        (with_microsoft, as_application),
        (with_microsoft, with_certificate),
        (with_password, as_user),
    ],
)


@WAYS
def test_a_setup_that_ends_well(canaries: Canaries, sign_in: Any, identity: Any) -> None:
    guide = canaries.guide
    walk(canaries, sign_in, identity)
    canaries.look_everywhere()
    guide.post("check")
    one_act(guide)
    assert canaries.leaks() == []

    finish(guide)
    other = guide.again(name="somebody-else")
    other.client.cookies["setup_key"] = "x"
    canaries.look_everywhere()
    canaries.look_everywhere(other)

    assert len(canaries.known) >= 4
    assert canaries.leaks() == []
    assert search.found(canaries.known, {"processes": search.processes()}) == []
    assert str(Connection.objects.get().receipt).count("secret") == 0


@WAYS
def test_a_setup_that_is_cancelled_or_forgotten(
    canaries: Canaries, sign_in: Any, identity: Any
) -> None:
    guide = canaries.guide
    walk(canaries, sign_in, identity)
    SetupProgress.objects.update(expires_at=db_in(-1))
    canaries.look_everywhere()
    assert SetupProgress.objects.get().sealed == {}
    assert canaries.leaks() == []

    canaries.show(guide.client.post("/setup/cancel/", follow=True))
    canaries.look_everywhere()

    assert canaries.leaks() == []
    assert not SetupProgress.objects.exists()


def test_what_was_heard_is_what_was_sent(canaries: Canaries) -> None:
    """The listening itself: it knows the password, the secret and the tokens."""
    ready = canaries.guide.sandbox.ready
    walk(canaries, with_password, as_application)

    assert ready["administrator"]["password"] in canaries.known
    assert ready["application"]["client_secret"] in canaries.known
    assert len([one for one in canaries.known if one.count(".") == 2]) >= 2


def test_a_code_and_its_verifier_are_heard(canaries: Canaries) -> None:
    canaries.guide.until("administrator")
    before = set(canaries.known)

    with_microsoft(canaries)

    assert len(canaries.known - before) >= 4, "code, verifier, access and identity token"


def test_somebody_who_may_only_operate_sees_nothing_of_it(canaries: Canaries) -> None:
    walk(canaries, with_password, as_application)
    operator = Guide(client_of(Role.OPERATIONS), canaries.guide.sandbox)

    canaries.look_everywhere(operator)

    assert canaries.leaks() == []

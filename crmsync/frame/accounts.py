"""What becomes of an account: its group, its passwords, whether it is enabled."""

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils.translation import gettext as _

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.frame import sessions
from crmsync.frame.errors import LastAdministrator, NoSuchPerson, NotOneself, OnlyUsesAKey
from crmsync.frame.models import Account
from crmsync.frame.people import new_password, subject
from crmsync.frame.roles import Role


def change_role(*, user_id: int, role: Role | None, by: Actor) -> None:
    """Into exactly one group, or none.

    Raises NoSuchPerson, OnlyUsesAKey, LastAdministrator, and NotOneself for an administrator who
    would stop being one.
    """
    with transaction.atomic():
        user = _held(user_id)
        if role and _is_non_interactive(user):
            raise OnlyUsesAKey(_("%(name)s only uses a web service key.") % {"name": user.username})
        if role is not Role.ADMINISTRATORS:
            _keep_an_administrator(user, by)
        former = ", ".join(user.groups.order_by("name").values_list("name", flat=True))
        if former == (role or ""):
            return
        user.groups.set([Group.objects.get(name=role)] if role else [])
        audit.record(
            act=Act.GROUP_CHANGED,
            by=by,
            subject=subject(user),
            before={"group": former},
            after={"group": role or ""},
        )


def disable(*, user_id: int, by: Actor) -> None:
    """No sign-in and no key from now on; sessions end at once.

    Raises NoSuchPerson, LastAdministrator and NotOneself.
    """
    with transaction.atomic():
        user = _held(user_id)
        _keep_an_administrator(user, by)
        if user.pk == by.user_id:
            raise NotOneself(_("You cannot disable your own account."))
        sessions.end_all(user_id=user_id)
        if user.is_active:
            user.is_active = False
            user.save(update_fields=["is_active"])
            audit.record(act=Act.PERSON_DISABLED, by=by, subject=subject(user))


def enable(*, user_id: int, by: Actor) -> None:
    """Sign-in and key work again. Raises NoSuchPerson."""
    with transaction.atomic():
        user = _held(user_id)
        if not user.is_active:
            user.is_active = True
            user.save(update_fields=["is_active"])
            audit.record(act=Act.PERSON_ENABLED, by=by, subject=subject(user))


def reset_password(*, user_id: int, by: Actor) -> str:
    """A new one-time password, to be shown this once; the former one and all sessions end.

    Raises NoSuchPerson, NotOneself and OnlyUsesAKey.
    """
    with transaction.atomic():
        user = _held(user_id)
        if user.pk == by.user_id:
            raise NotOneself(_("You change your own password by a click on your name."))
        if _is_non_interactive(user):
            raise OnlyUsesAKey(_("%(name)s only uses a web service key.") % {"name": user.username})
        password = new_password()
        _set_password(user, password, must_choose=True)
        sessions.end_all(user_id=user_id)
        audit.record(act=Act.PASSWORD_RESET, by=by, subject=subject(user))
    return password


def choose_password(*, user_id: int, password: str, by: Actor) -> User:
    """The person's own password, from now on; sessions made with the former one end.

    Returns the account as it is now, for the session that shall go on. Raises NoSuchPerson.
    """
    with transaction.atomic():
        user = _held(user_id)
        _set_password(user, password, must_choose=False)
        audit.record(act=Act.PASSWORD_CHANGED, by=by, subject=subject(user))
    return user


def _held(user_id: int) -> User:
    """The account, its row locked."""
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NoSuchPerson(_("There is no such person (any more)."))
    return user


def _is_non_interactive(user: User) -> bool:
    return Account.objects.filter(user=user, is_non_interactive=True).exists()


def _set_password(user: User, password: str, *, must_choose: bool) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    Account.objects.update_or_create(user=user, defaults={"must_choose_password": must_choose})


def _keep_an_administrator(user: User, by: Actor) -> None:
    """Raises LastAdministrator and NotOneself where ``user`` must stay one."""
    # Whoever asks at the same moment waits here, and counts without this one.
    administrators = Group.objects.select_for_update().get(name=Role.ADMINISTRATORS)
    enabled = set(
        administrators.user_set.filter(is_active=True)
        .exclude(account__is_non_interactive=True)
        .values_list("pk", flat=True)
    )
    if enabled == {user.pk}:
        raise LastAdministrator(
            _("%(name)s is the last administrator who can sign in.") % {"name": user.username}
        )
    if user.pk in enabled and user.pk == by.user_id:
        raise NotOneself(_("You cannot take your own rights as an administrator away."))

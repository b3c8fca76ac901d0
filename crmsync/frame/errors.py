"""What can go wrong with people and their accounts.

PersonProblem
├── NameTaken
├── NameUnusable
├── NoSuchPerson
├── LastAdministrator
├── NotOneself
└── OnlyUsesAKey
"""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class PersonProblem(Exception):
    """``str()`` says what is wrong, ``remedy`` what to do: on a page or at a terminal."""

    code: ClassVar[str] = "person_problem"
    remedy: ClassVar[str | Promise] = _("Load the page again, then repeat what you did.")


class NameTaken(PersonProblem):
    code = "name_taken"
    remedy = _("Choose another name.")


class NameUnusable(PersonProblem):
    code = "name_unusable"
    remedy = _("Give a name of 1 to 150 letters from a to z, digits and @ . + - _")


class NoSuchPerson(PersonProblem):
    code = "no_such_person"
    remedy = _("Look for the name in the list of people.")


class LastAdministrator(PersonProblem):
    code = "last_administrator"
    remedy = _("Make somebody else an administrator first.")


class NotOneself(PersonProblem):
    code = "not_oneself"
    remedy = _("Ask another administrator to do it.")


class OnlyUsesAKey(PersonProblem):
    code = "only_uses_a_key"
    remedy = _("Add another account for somebody who signs in to the pages.")

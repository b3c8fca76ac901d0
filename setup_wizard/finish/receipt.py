"""What the acts are called, what each saw or did, and the receipt of it all. No effects.

Facts are stored, sentences are made when they are read: each reader has their own language.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from setup_wizard.finish.plan import ActName, Facts, Memory, Plan
from setup_wizard.guide import ownership

# The row with our address is the same one each time; the others add up.
_CHANGING = (ActName.SOLUTION, ActName.USER, ActName.ROLES, ActName.TRACKING)
_IN_SALES = (ActName.SOLUTION, ActName.USER, ActName.ROLES, ActName.TRACKING, ActName.ADDRESS)
CAPTIONS: Mapping[ActName, str | Promise] = {
    ActName.SOLUTION: gettext_lazy("Integration solution in Sales"),
    ActName.USER: gettext_lazy("Integration user in Sales"),
    ActName.ROLES: gettext_lazy("Roles of the integration user"),
    ActName.TRACKING: gettext_lazy("Change tracking in Sales"),
    ActName.STORED: gettext_lazy("Connection stored"),
    ActName.VERIFIED: gettext_lazy("Verification as the integration user"),
    ActName.ADDRESS: gettext_lazy("Address of these books in Sales"),
    ActName.COUNTERPART: gettext_lazy("Counterpart among our own users"),
    ActName.ENABLED: gettext_lazy("Connection enabled"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done in Sales, or found there; ``removal`` says how to undo it.

    ``at`` is when an earlier setup did it, with ``by`` as its administrator; None for the present.
    """

    caption: str
    text: str
    removal: str = ""
    at: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody's access to Sales as an administrator, and when it ended.

    ``is_other``: not in the setup that the connection is of.
    """

    name: str
    dropped_at: datetime
    is_other: bool = False


def receipt(
    plan: Plan, memory: Memory, *, dropped_at: datetime, former: Facts | None = None
) -> dict[str, Any]:
    """The facts to keep with the connection. ``dropped_at`` is when the access ended.

    ``former`` is the receipt of an earlier setup with the same organization: what that one did
    there still has to be known to whoever removes it all.
    """
    return {
        "administrator": plan.administrator if plan.admin else "",
        "had_administrator": plan.admin is not None,
        "dropped_at": dropped_at.isoformat(),
        "owner": _chosen(plan),
        "acts": {act.value: dict(memory.of(act)) for act in ActName if memory.of(act)},
        "earlier": _earlier(former) if former else [],
        "accesses": _accesses(former) if former else [],
    }


def with_cancelled(
    kept: Facts, *, acts: Mapping[ActName, Facts], administrator: str, at: datetime
) -> dict[str, Any]:
    """A receipt with what a setup did at the same organization that was cancelled ``at``.

    ``administrator`` is blank where nobody had access.
    """
    done: Facts = {
        "acts": {act.value: facts for act, facts in acts.items()},
        "administrator": administrator,
        "had_administrator": bool(administrator),
        "dropped_at": at.isoformat(),
    }
    earlier = [*_earlier(done), *kept.get("earlier", [])]
    return {**kept, "earlier": earlier, "accesses": [*_accesses(done), *kept.get("accesses", [])]}


def _earlier(former: Facts) -> list[dict[str, Any]]:
    """What earlier setups changed in Sales, the latest first."""
    by = former.get("administrator", "")
    changed = [
        {"act": act.value, "facts": facts, "at": former["dropped_at"], "administrator": by}
        for act in _CHANGING
        if _removal(act, facts := former.get("acts", {}).get(act, {}))
    ]
    return [*changed, *former.get("earlier", [])]


def _accesses(former: Facts) -> list[dict[str, str]]:
    """Who had access in earlier setups, whether or not anything was changed with it."""
    own = {"administrator": former.get("administrator", ""), "at": former.get("dropped_at", "")}
    return [*([own] if former.get("had_administrator") else []), *former.get("accesses", [])]


def entries(kept: Facts) -> list[Entry]:
    """The receipt of a connection, in the order in which it was done; then what was earlier."""
    acts: Facts = kept.get("acts", {})
    present = [_entry(act, acts[act], None) for act in _IN_SALES if act in acts]
    earlier = [
        _entry(
            ActName(one["act"]),
            one["facts"],
            datetime.fromisoformat(one["at"]),
            by=one.get("administrator", ""),
        )
        for one in kept.get("earlier", [])
    ]
    return [*present, *_owner(kept.get("owner")), *earlier]


def _chosen(plan: Plan) -> dict[str, str]:
    """Empty where nothing is created in Sales that belongs to somebody."""
    if not ownership.creates_owned_rows(plan.scopes):
        return {}
    return {"ownership": plan.owner.ownership.value, "name": plan.owner.name}


def _owner(chosen: Facts | None) -> Iterator[Entry]:
    if chosen:
        text = ownership.said(chosen["ownership"], chosen["name"])
        yield Entry(_("Owner of records created in Sales"), text)


def entry(act: ActName, facts: Facts) -> Entry:
    """What one act did, told alone."""
    return _entry(act, facts, None)


def _entry(act: ActName, facts: Facts, at: datetime | None, *, by: str = "") -> Entry:
    return Entry(str(CAPTIONS[act]), seen(act, facts), _removal(act, facts), at, by)


def seen(act: ActName, facts: Facts) -> str:
    """What an act did or found, as a sentence; blank where it has nothing to say yet."""
    return " ".join(_SENTENCES[act](facts)) if facts else ""


def _solution(facts: Facts) -> Iterator[str]:
    if facts.get("goes_on"):
        yield _("An import was begun; it goes on in Sales.")
    elif "version" not in facts:
        yield _("Importing: %(progress)s %%.") % {"progress": facts.get("progress", 0)}
    elif not facts.get("is_imported"):
        yield _("Version %(version)s was installed already.") % facts
    elif facts.get("former"):
        yield _("Version %(version)s was imported over version %(former)s.") % facts
    else:
        yield _("Version %(version)s was imported.") % facts


def _user(facts: Facts) -> Iterator[str]:
    if "name" in facts and facts.get("is_created"):
        yield _("The application user %(name)s was created.") % facts
    elif "name" in facts:
        yield _("%(name)s was a user of Sales already.") % facts
    elif facts.get("is_created"):
        yield _("An application user was asked for; Sales has not shown it yet.")


def _roles(facts: Facts) -> Iterator[str]:
    given = facts.get("given", [])
    if given:
        yield _("Given to %(user)s: %(roles)s.") % {**facts, "roles": ", ".join(given)}
    if held := [name for name in facts.get("names", []) if name not in given]:
        yield _("Held already: %(roles)s.") % {"roles": ", ".join(held)}


def _tracking(facts: Facts) -> Iterator[str]:
    if switched := facts.get("switched"):
        yield _("Switched on for: %(tables)s.") % {"tables": ", ".join(switched)}
    if off := facts.get("off"):
        yield _("Off for: %(tables)s. These are read by modification time.") % {
            "tables": ", ".join(off)
        }
    if not switched and not off:
        yield _("Nothing had to be switched on.")


def _stored(facts: Facts) -> Iterator[str]:
    if facts.get("replaces"):
        yield _("The present connection works on until the new one replaces it.")
    elif "replaces" in facts:
        yield _("Stored for %(organization)s, not enabled yet; the secret is encrypted.") % facts


def _verified(facts: Facts) -> Iterator[str]:
    tables = ", ".join(facts["tables"])
    yield _("Signs in, reads %(tables)s, and holds every privilege.") % {"tables": tables}


def _address(facts: Facts) -> Iterator[str]:
    if facts.get("address"):
        yield _("Sales was told the address %(address)s of these books.") % facts
    else:
        yield _("Left out: the address is not known.")


def _counterpart(facts: Facts) -> Iterator[str]:
    yield _("%(name)s, who signs in to no page.") % facts


def _enabled(facts: Facts) -> Iterator[str]:
    del facts
    yield _("Synchronization may begin.")


_SENTENCES: Mapping[ActName, Callable[[Facts], Iterator[str]]] = {
    ActName.SOLUTION: _solution,
    ActName.USER: _user,
    ActName.ROLES: _roles,
    ActName.TRACKING: _tracking,
    ActName.STORED: _stored,
    ActName.VERIFIED: _verified,
    ActName.ADDRESS: _address,
    ActName.COUNTERPART: _counterpart,
    ActName.ENABLED: _enabled,
}


def _removal(act: ActName, facts: Facts) -> str:
    """How an administrator of Sales takes back what was done; blank where nothing was."""
    if act == ActName.SOLUTION and facts.get("is_imported"):
        return _(
            "Delete the solution crmsync in Power Apps, under Solutions: its roles and tables go "
            "with it."
        )
    if act == ActName.USER and facts.get("is_created"):
        return _("Disable the user in the Power Platform admin center, under Application users.")
    if act == ActName.ROLES and facts.get("given"):
        return _("Take the roles from the user in the Power Platform admin center, under Users.")
    if act == ActName.TRACKING and facts.get("switched"):
        return _("It stays on: change tracking cannot be switched off again.")
    if act == ActName.ADDRESS and facts.get("address"):
        return _("It goes with the solution.")
    return ""


def accesses(kept: Facts) -> list[Access]:
    """The access of this setup, if there was one; and the latest of another, if it is later."""
    every = [_access(one) for one in _accesses(kept)]
    own = every[:1] if kept.get("had_administrator") else []
    others = every[len(own) :]
    latest = max(others, key=lambda one: one.dropped_at, default=None)
    if latest is None or (own and own[0].dropped_at > latest.dropped_at):
        return own
    return [*own, replace(latest, is_other=True)]


def _access(kept: Mapping[str, str]) -> Access:
    return Access(kept["administrator"], datetime.fromisoformat(kept["at"]))


def told_address(kept: Facts) -> str:
    """The address of these books that Sales was told; blank where it was told none."""
    return str(kept.get("acts", {}).get(ActName.ADDRESS, {}).get("address", ""))

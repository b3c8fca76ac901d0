"""What the acts are called, what each saw or did, and the receipt of it all. No effects.

Facts are stored, sentences are made when they are read: each reader has their own language.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from setup_wizard.finish import deeds
from setup_wizard.finish.deeds import Deed
from setup_wizard.finish.plan import ActName, Facts, Memory, Plan
from setup_wizard.guide import ownership

# The row with our address is the same one each time; the others add up.
_CHANGING = (ActName.SOLUTION, ActName.USER, ActName.ROLES, ActName.TRACKING)
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

    ``at`` is when it was done, if not for the answers of now: in an earlier setup, or in the
    ``same_setup``. ``by`` is its administrator. ``environment`` is blank for that of now.
    """

    caption: str
    text: str
    removal: str = ""
    at: datetime | None = None
    by: str = ""
    environment: str = ""
    same_setup: bool = False

    @property
    def said(self) -> str:
        """What was done and where, in one line of text."""
        return f"{self.text} ({self.environment})" if self.environment else self.text

    @property
    def note(self) -> str:
        """When, by whom and where."""
        return ", ".join(filter(None, (self._when, self.by, self.environment)))

    @property
    def _when(self) -> str:
        if self.at is None:
            return ""
        at = {"at": date_format(localtime(self.at), "SHORT_DATE_FORMAT")}
        if self.same_setup:
            return _("Earlier in this setup, %(at)s") % at
        return _("In an earlier setup, %(at)s") % at


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody's access to Sales as an administrator, and when it ended.

    ``is_other``: not in the setup that the connection is of; ``is_former``: in that setup, before
    somebody else or nobody signed in. ``environment`` is blank for that of the connection.
    """

    name: str
    dropped_at: datetime
    environment: str = ""
    is_other: bool = False
    is_former: bool = False


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
        "environment": plan.environment.origin,
        "owner": _chosen(plan),
        "acts": {act.value: dict(memory.of(act)) for act in ActName if memory.of(act)},
        "deeds": kept_deeds(deeds.left_behind(plan.before)),
        "former": list(plan.before.get("accesses", [])),
        "earlier": _earlier(former) if former else [],
        "accesses": _accesses(former) if former else [],
    }


def kept_deeds(done: Iterable[Deed]) -> list[dict[str, Any]]:
    """As a receipt keeps what is not of the answers of now."""
    return [_deed(one.act, one.told, one.at, one.environment) for one in done if one.told]


def _deed(act: ActName, facts: Facts, at: str, environment: str, by: str = "") -> dict[str, Any]:
    named = ", ".join(deeds.by_whom(facts)) or by
    where = {"environment": environment, "administrator": named}
    return {"act": act.value, "facts": facts, "at": at, **where}


def with_cancelled(
    kept: Facts, *, done: Iterable[Deed], accesses: Iterable[Mapping[str, str]]
) -> dict[str, Any]:
    """A receipt with what a setup did in the same environment that was cancelled."""
    changing = [one for one in done if one.act in _CHANGING]
    earlier = [*kept_deeds(changing), *kept.get("earlier", [])]
    return {**kept, "earlier": earlier, "accesses": [*accesses, *kept.get("accesses", [])]}


def _earlier(former: Facts) -> list[dict[str, Any]]:
    """What earlier setups changed in Sales, the latest first."""
    acts, at = former.get("acts", {}), former.get("dropped_at", "")
    where, by = former.get("environment", ""), former.get("administrator", "")
    did = [
        _deed(act, facts, at, where, by)
        for act in _CHANGING
        if deeds.changed(act, facts := acts.get(act, {}))
    ]
    return [*did, *former.get("deeds", []), *former.get("earlier", [])]


def _accesses(former: Facts) -> list[dict[str, str]]:
    """Who had access in earlier setups, whether or not anything was changed with it."""
    own = _own_access(former) if former.get("had_administrator") else []
    return [*own, *former.get("former", []), *former.get("accesses", [])]


def _own_access(kept: Facts) -> list[dict[str, str]]:
    names = {"administrator": "administrator", "at": "dropped_at", "environment": "environment"}
    return [{name: kept.get(source, "") for name, source in names.items()}]


def entries(kept: Facts) -> list[Entry]:
    """The receipt of a connection: what was done in its setup, for the answers of now and for
    others; then what was earlier."""
    here = str(kept.get("environment", ""))
    acts: Facts = kept.get("acts", {})
    present = [_present(act, acts[act], kept) for act in deeds.CHANGED_BY if act in acts]
    others = [replace(_of_deed(one, here), same_setup=True) for one in kept.get("deeds", [])]
    earlier = [_of_deed(one, here) for one in kept.get("earlier", [])]
    return [*present, *_owner(kept.get("owner")), *others, *earlier]


def _present(act: ActName, facts: Facts, kept: Facts) -> Entry:
    """Who did it is told where more than one had access."""
    by = ", ".join(deeds.by_whom(facts)) if kept.get("former") else ""
    return replace(entry(act, facts), by=by)


def _of_deed(one: Facts, here: str) -> Entry:
    where = str(one.get("environment", ""))
    return replace(
        entry(ActName(one["act"]), one["facts"]),
        at=datetime.fromisoformat(one["at"]),
        by=one.get("administrator", ""),
        environment="" if where == here else where,
    )


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
    return Entry(str(CAPTIONS[act]), seen(act, facts), _removal(act, facts))


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
    """The accesses of this setup; and the latest of another, if it is later."""
    here = str(kept.get("environment", ""))
    own = [_access(one, here) for one in _own_access(kept) if kept.get("had_administrator")]
    former = [replace(_access(one, here), is_former=True) for one in kept.get("former", [])]
    others = [_access(one, here) for one in kept.get("accesses", [])]
    latest = max(others, key=lambda one: one.dropped_at, default=None)
    if latest is None or (own and own[0].dropped_at > latest.dropped_at):
        return [*own, *former]
    return [*own, *former, replace(latest, is_other=True)]


def _access(kept: Mapping[str, str], here: str) -> Access:
    where = kept.get("environment", "")
    at = datetime.fromisoformat(kept["at"])
    return Access(kept["administrator"], at, environment="" if where == here else where)


def nobody_signed_in(kept: Facts) -> bool:
    """Whether the setup of this receipt did without an administrator from its beginning."""
    return bool(kept) and not kept.get("had_administrator") and not kept.get("former")


def told_address(kept: Facts) -> str:
    """The address of these books that Sales was told; blank where it was told none."""
    return str(kept.get("acts", {}).get(ActName.ADDRESS, {}).get("address", ""))

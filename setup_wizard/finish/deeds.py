"""What a setup has done in Sales, under whichever of its answers. No effects.

It adds up by environment and, where an act concerns the integration user, by that user: who
changes an answer in the middle leaves things behind in Sales, and finds them again on the way back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from crmsync.connections.models import Connection
from setup_wizard.finish.importing import JOB
from setup_wizard.finish.plan import ActName, Facts, Memory, Plan, State, now
from setup_wizard.guide.steps import IDENTITY_INPUTS, StepName
from setup_wizard.integration_solution import SOLUTION

# The fact of each act that says that Sales was changed.
CHANGED_BY: Mapping[ActName, str] = {
    ActName.SOLUTION: "is_imported",
    ActName.USER: "is_created",
    ActName.ROLES: "given",
    ActName.TRACKING: "switched",
    ActName.ADDRESS: "address",
}
_OF_THE_USER = (ActName.USER, ActName.ROLES)
_LISTED = ("roles_given", "tracking_switched_on")


@dataclass(frozen=True, slots=True)
class Deed:
    """One act that changed Sales; ``user`` is the name or the id that the user signs in with."""

    act: ActName
    facts: Facts
    environment: str
    user: str
    at: str

    @property
    def told(self) -> Facts:
        """What can be said of it; empty where Sales was not changed after all."""
        if not self.facts.get(CHANGED_BY[self.act]):
            return {}
        if self.act != ActName.SOLUTION or "version" in self.facts:
            return self.facts
        # Sent, or perhaps: an answer may have been lost. One that failed has no job any more.
        goes_on = {"is_imported": True, "goes_on": True, "former": self.facts.get("former", "")}
        return {**goes_on, "by": by_whom(self.facts)} if "job_id" in self.facts else {}

    def kept(self) -> dict[str, Any]:
        return {**asdict(self), "act": self.act.value, "facts": dict(self.facts)}


def by_whom(facts: Facts) -> list[str]:
    """The administrators who did it, in order."""
    return list(facts.get("by", []))


def changed(act: ActName, facts: Facts) -> bool:
    return act in CHANGED_BY and bool(facts.get(CHANGED_BY[act]))


def deeds_of(finish: Facts) -> list[Deed]:
    """Everything that this setup did, that of the answers confirmed last first."""
    present = _of_acts(finish["acts"], finish["agreed"]) if finish else ()
    return [*present, *left_behind(finish)]


def left_behind(finish: Facts) -> list[Deed]:
    """What was done for answers that were changed since."""
    return [Deed(**{**one, "act": ActName(one["act"])}) for one in finish.get("deeds", [])]


def _of_acts(acts: Mapping[str, Facts], agreed: Facts) -> Iterator[Deed]:
    for act in CHANGED_BY:
        facts = _facts(act, acts.get(act, {}))
        if changed(act, facts):
            yield Deed(act, facts, *_place(agreed), at=acts[act].get("at", now().isoformat()))


def _facts(act: ActName, kept: Facts) -> Facts:
    """What an act remembers; an import that has ended or was refused is followed no more."""
    facts = dict(kept.get("seen", {}))
    is_refused = kept.get("state") == State.FAILED and not facts.get("is_sent")
    if act == ActName.SOLUTION and (is_refused or kept.get("state") == State.DONE):
        return {name: value for name, value in facts.items() if name not in JOB}
    return facts


def _place(agreed: Facts) -> tuple[str, str]:
    """The environment, and what the integration user signs in with."""
    user = agreed[StepName.INTEGRATION_USER]
    name_input, _secret = IDENTITY_INPUTS[Connection.IdentityKind(user["kind"])]
    return str(agreed[StepName.ENVIRONMENT]["url"]), str(user[name_input])


def carried_over(finish: Facts, agreed: Facts) -> tuple[dict[str, Any], list[Deed]]:
    """Acts to be done for other answers, with what they remember; and what is left behind."""
    environment, user = _place(agreed)
    acts, left = {}, []
    for deed in deeds_of(finish):
        is_the_users = deed.user == user or deed.act not in _OF_THE_USER
        if deed.environment == environment and is_the_users:
            acts[deed.act.value] = {"seen": dict(deed.facts), "at": deed.at}
        else:
            left.append(deed)
    return acts, left


def done_by(plan: Plan, memory: Memory) -> list[Deed]:
    """Everything that a setup did which is about to end."""
    place, at = (plan.environment.origin, plan.integration_user.name), now().isoformat()
    facts = {act: memory.of(act) for act in CHANGED_BY}
    present = [Deed(act, facts[act], *place, at) for act in facts if changed(act, facts[act])]
    return [*present, *left_behind(plan.before)]


def recorded(deeds: Sequence[Deed], *, environment: str) -> dict[str, Any]:
    """What the audit log keeps of them; what was done in another environment names that one."""
    kept: dict[str, list[str]] = {}
    for deed in deeds:
        where = "" if deed.environment == environment else f" ({deed.environment})"
        for name, value in _values(deed):
            kept.setdefault(name, []).append(f"{value}{where}")
    found = {name: kept[name] if name in _LISTED else ", ".join(kept[name]) for name in kept}
    goes_on = any(deed.told.get("goes_on") for deed in deeds)
    return {**found, "import_goes_on": True} if goes_on else found


def _values(deed: Deed) -> Iterator[tuple[str, str]]:
    facts = deed.told
    if deed.act == ActName.SOLUTION and facts:
        yield "solution", facts.get("version", ".".join(map(str, SOLUTION.version)))
    if deed.act == ActName.USER and facts:
        yield "user_created", facts.get("name", deed.user)
    for role in facts.get("given", []):
        yield "roles_given", f"{facts['user']}: {role}"
    for table in facts.get("switched", []):
        yield "tracking_switched_on", table
    if address := facts.get("address"):
        yield "told_address", address

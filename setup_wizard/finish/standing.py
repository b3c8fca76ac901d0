"""How far the finish of a setup has come, as its page and the pages around it show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crmsync.connections.models import Connection
from setup_wizard.finish.acts import ACTS
from setup_wizard.finish.plan import ActName, State
from setup_wizard.finish.receipt import CAPTIONS, seen
from setup_wizard.guide import progress
from setup_wizard.guide.draft import Draft
from setup_wizard.guide.steps import StepName, first_open
from setup_wizard.models import SetupProgress


@dataclass(frozen=True, slots=True)
class Line:
    """One act: ``state``, what was seen, and what is wrong; ``step`` is where it is corrected."""

    act: ActName
    caption: str
    state: State
    seen: str
    problem: str
    step: StepName | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the finish has come. ``asks_for`` is the step that must be answered (again) first;
    ``is_begun`` is false where there is nothing to finish; ``is_elsewhere`` is true while another
    request does an act, or died with it."""

    lines: tuple[Line, ...]
    is_begun: bool
    is_over: bool
    asks_for: StepName | None
    is_elsewhere: bool = False

    @property
    def needs_sign_in(self) -> bool:
        return self.asks_for == StepName.ADMINISTRATOR

    @property
    def has_failed(self) -> bool:
        return any(line.state == State.FAILED for line in self.lines)

    @property
    def goes_on(self) -> bool:
        """Whether the next act can be done without anybody deciding something."""
        return self.is_begun and not (self.is_over or self.asks_for or self.has_failed)

    @property
    def is_waiting(self) -> bool:
        """Whether the next act has to wait, for Sales or for another request."""
        return self.is_elsewhere or any(line.state == State.WAITING for line in self.lines)

    @property
    def at_hand(self) -> ActName | None:
        """The act that is done next, where that happens by itself."""
        left = (line.act for line in self.lines if line.state != State.DONE)
        return next(left, None) if self.goes_on else None

    @property
    def done(self) -> int:
        return sum(line.state == State.DONE for line in self.lines)


def standing(*, user_id: int, key: bytes | None) -> Standing:
    """How far it has come, without doing anything."""
    draft = progress.look(user_id=user_id, key=key)
    finish = finish_of(user_id)
    if not draft.is_begun:
        is_over = Connection.objects.filter(is_being_set_up=False).exists()
        return Standing(_lines({}), is_begun=False, is_over=is_over, asks_for=None)
    return Standing(
        lines=_lines(finish.get("acts", {})),
        is_begun=bool(finish),
        is_over=False,
        asks_for=_asks_for(draft, finish),
        is_elsewhere=draft.is_finishing,
    )


def _asks_for(draft: Draft, finish: Mapping[str, Any]) -> StepName | None:
    step = first_open(draft.done)
    if step != StepName.CHECK:
        return step
    return None if finish.get("revision") == draft.revision else StepName.CHECK


def _lines(acts: Mapping[str, Mapping[str, Any]]) -> tuple[Line, ...]:
    return tuple(_line(act, acts.get(act, {})) for act in ACTS)


def _line(act: ActName, kept: Mapping[str, Any]) -> Line:
    step = kept.get("step")
    return Line(
        act=act,
        caption=str(CAPTIONS[act]),
        state=State(kept.get("state", State.OPEN)),
        seen=seen(act, kept.get("seen", {})),
        problem=kept.get("problem", ""),
        step=StepName(step) if step else None,
    )


def finish_of(user_id: int) -> dict[str, Any]:
    """What is kept of a person's finish; empty where none is begun."""
    found = SetupProgress.objects.filter(user_id=user_id).values_list("finish", flat=True).first()
    return found or {}

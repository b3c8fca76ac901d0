"""Faults on request: rules that match requests and say how the answer goes wrong."""

import random
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

_MATCH_KEYS: Final = frozenset({"method", "path", "body", "nth", "probability", "seed"})
_ACT_KEYS: Final = frozenset(
    {
        "status",
        "code",
        "message",
        "headers",
        "latency",
        "drop",
        "half_body",
        "drip",
        "redirect",
        "body",
        "wrong_json",
        "apply",
    }
)
_RULE_KEYS: Final = frozenset({"match", "act", "times"})


class UnknownKeyError(Exception):
    """A rule says something that no fault understands; the message names what is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """How an answer goes wrong. Times are seconds.

    `drop` closes the connection without an answer, before or after the request took effect.
    `half_body`, `drip` and `latency` let it take effect; the other acts only where `apply` is set.
    """

    status: int | None = None
    code: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    latency: float = 0.0
    drop: str | None = None
    half_body: bool = False
    drip: float = 0.0
    redirect: str | None = None
    body: str | None = None
    wrong_json: bool = False
    apply: bool = False

    @property
    def only_delays(self) -> bool:
        answers = (self.status, self.drop, self.redirect, self.body)
        spoils = (self.half_body, self.drip, self.wrong_json)
        return all(part is None for part in answers) and not any(spoils)

    @property
    def takes_effect(self) -> bool:
        """Whether the request is carried out before its answer goes wrong."""
        if self.drop is not None:
            return self.drop == "after"
        return self.apply or self.half_body or bool(self.drip)


@dataclass(slots=True)
class Rule:
    """One rule: `nth` counts matching requests from 1; `times` limits how often it acts."""

    id: int
    method: str | None
    path: re.Pattern[str]
    body: re.Pattern[str] | None
    nth: int | None
    probability: float
    chance: random.Random
    act: Act
    times: int | None
    seen: int = 0
    hits: int = 0

    def fires(self, method: str, target: str, body: bytes) -> bool:
        if not self._matches(method, target, body):
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.seen += 1
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.chance.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def _matches(self, method: str, target: str, body: bytes) -> bool:
        if self.method not in {None, method} or not self.path.search(target):
            return False
        return self.body is None or self.body.search(body.decode(errors="replace")) is not None

    def described(self) -> dict[str, object]:
        return {
            "id": self.id,
            "path": self.path.pattern,
            "seen": self.seen,
            "hits": self.hits,
            "times": self.times,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say about one request: seconds to wait, and which fault acts, if any."""

    latency: float = 0.0
    rule_id: int | None = None
    act: Act | None = None


class Faults:
    """The rules in force, in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._last_id = 0

    def add(self, described: Mapping[str, object]) -> int:
        """Add a rule and return its id. Raises UnknownKeyError."""
        rule = _rule(described)
        with self._lock:
            self._last_id += 1
            rule.id = self._last_id
            self._rules.append(rule)
        return rule.id

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def described(self) -> list[dict[str, object]]:
        with self._lock:
            return [rule.described() for rule in self._rules]

    def judge(self, method: str, target: str, body: bytes) -> Verdict:
        """Say what happens to a request: latencies add up, the first other fault acts."""
        latency, acting, delaying = 0.0, None, None
        with self._lock:
            for rule in self._rules:
                # A later rule that would act is not even asked: it keeps its turn.
                if (acting and not rule.act.only_delays) or not rule.fires(method, target, body):
                    continue
                latency += rule.act.latency
                if rule.act.only_delays:
                    delaying = delaying or rule.id
                else:
                    acting = rule
        if acting is None:
            return Verdict(latency, delaying)
        return Verdict(latency, acting.id, acting.act)


def _rule(described: Mapping[str, object]) -> Rule:
    _check_keys("rule", described, _RULE_KEYS)
    match, act = _mapping(described, "match"), _mapping(described, "act")
    _check_keys("match", match, _MATCH_KEYS)
    method, nth = match.get("method"), match.get("nth")
    probability, times = match.get("probability"), described.get("times")
    try:
        path, body = re.compile(str(match.get("path", ""))), match.get("body")
        return Rule(
            id=0,
            method=str(method).upper() if method else None,
            path=path,
            body=re.compile(str(body)) if body is not None else None,
            nth=int(str(nth)) if nth is not None else None,
            probability=float(str(probability)) if probability is not None else 1.0,
            # Reproducible chance is the point here, not secrecy.
            chance=random.Random(str(match.get("seed", 0))),  # noqa: S311
            act=_act(act),
            times=int(str(times)) if times is not None else None,
        )
    except (ValueError, re.error) as error:
        raise UnknownKeyError(f"The rule cannot be read: {error}") from None


def _act(given: Mapping[str, object]) -> Act:
    _check_keys("act", given, _ACT_KEYS)
    if given.get("drop") not in {None, "before", "after"}:
        raise UnknownKeyError("The value of 'drop' must be 'before' or 'after'.")
    status = given.get("status")
    headers = _mapping(given, "headers")
    return Act(
        status=int(str(status)) if status is not None else None,
        code=str(given.get("code", "")),
        message=str(given.get("message", "")),
        headers={name: str(value) for name, value in headers.items()},
        latency=float(str(given.get("latency") or 0)),
        drop=_optional_text(given, "drop"),
        half_body=bool(given.get("half_body")),
        drip=float(str(given.get("drip") or 0)),
        redirect=_optional_text(given, "redirect"),
        body=_optional_text(given, "body"),
        wrong_json=bool(given.get("wrong_json")),
        apply=bool(given.get("apply")),
    )


def _optional_text(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    return None if value is None else str(value)


def _mapping(given: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = given.get(name) or {}
    if not isinstance(value, Mapping):
        raise UnknownKeyError(f"The value of '{name}' must be an object.")
    return value


def _check_keys(where: str, given: Iterable[str], accepted: frozenset[str]) -> None:
    unknown = sorted(set(given) - accepted)
    if unknown:
        raise UnknownKeyError(
            f"Unknown in {where}: {', '.join(unknown)}. Accepted: {', '.join(sorted(accepted))}."
        )

"""Words that are values. Every package may import them; they import nothing of the project."""

from enum import StrEnum


class Side(StrEnum):
    LEDGER = "ledger"
    CRM = "crm"


class Direction(StrEnum):
    """Which way values may move between the ledger and the CRM."""

    TO_CRM = "to_crm"
    FROM_CRM = "from_crm"
    BIDIRECTIONAL = "bidirectional"

    @property
    def writes_crm(self) -> bool:
        return self is not Direction.FROM_CRM

    @property
    def writes_ledger(self) -> bool:
        return self is not Direction.TO_CRM


class ConflictPolicy(StrEnum):
    """What to do when the same field changed on both sides."""

    LEDGER_WINS = "ledger_wins"
    CRM_WINS = "crm_wins"
    ASK = "ask"


class FirstWinner(StrEnum):
    """Who wins the first comparison of a pair, when nothing was agreed yet."""

    LEDGER = "ledger"
    CRM = "crm"
    FILL_BLANKS = "fill_blanks"


class Fate(StrEnum):
    """What would become of one field of a pair."""

    TO_LEDGER = "written_to_ledger"
    TO_CRM = "written_to_crm"
    EQUAL = "equal"
    WAITS = "waits_for_a_person"
    LEFT_ALONE = "left_alone"


class CouplingOrigin(StrEnum):
    PERSON = "person"
    MATCH = "match"
    UNIQUE_KEY = "unique_key"
    CREATED = "created"


class Outcome(StrEnum):
    """What became of one record in one phase of a job. Every record read has exactly one."""

    INSERTED = "inserted"
    MODIFIED = "modified"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    COUPLED = "coupled"
    UNCOUPLED = "uncoupled"
    DEFERRED = "deferred"
    UNDECIDED = "undecided"
    FAILED = "failed"
    SKIPPED = "skipped"


NEEDS_ATTENTION = frozenset({Outcome.DEFERRED, Outcome.UNDECIDED, Outcome.FAILED, Outcome.SKIPPED})


class JobState(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


ACTIVE_STATES = frozenset({JobState.WAITING, JobState.QUEUED, JobState.RUNNING})


class PhaseName(StrEnum):
    """The passes of a job, in the order in which they run."""

    REFRESH = "refresh"
    FROM_CRM = "from_crm"
    TO_CRM = "to_crm"
    ABSORB = "absorb"


class Scope(StrEnum):
    """What an administrator can agree to exchange."""

    SALESPEOPLE = "salespeople"
    CURRENCIES = "currencies"
    CUSTOMERS = "customers"


class Experience(StrEnum):
    BASIC = "basic"
    SUITE = "suite"

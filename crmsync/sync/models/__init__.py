"""What synchronization knows: their rows as last seen, what is coupled, what is being done."""

from crmsync.sync.models.attention import LeftOut, NotTheSame, Obstacle
from crmsync.sync.models.changes import Change, Restoration
from crmsync.sync.models.rows import TITLE_LENGTH, Coupling, CrmRecord, CrmTable, crm_row_id
from crmsync.sync.models.work import SERVICE_CODE_LENGTH, Job, Part

__all__ = [
    "SERVICE_CODE_LENGTH",
    "TITLE_LENGTH",
    "Change",
    "Coupling",
    "CrmRecord",
    "CrmTable",
    "Job",
    "LeftOut",
    "NotTheSame",
    "Obstacle",
    "Part",
    "Restoration",
    "crm_row_id",
]

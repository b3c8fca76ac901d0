"""A small solution for tests: a role and a table."""

from uuid import UUID

from crmsync.dataverse.solution import (
    Depth,
    NewTable,
    Publisher,
    RolePrivilege,
    Solution,
    SolutionRole,
    TextColumn,
    Version,
)

ROLE_ID = UUID("6d4f6b3e-2f62-4a55-9d0b-4c60a8a8c001")
READ_ACCOUNT = RolePrivilege("prvReadAccount")
WRITE_OWN_ACCOUNT = RolePrivilege("prvWriteAccount", Depth.USER)


def sample(version: Version = (1, 0, 0, 0)) -> Solution:
    return Solution(
        unique_name="sample",
        friendly_name="A sample & more",
        version=version,
        publisher=Publisher("sample", "Sample", "csy", 23450),
        roles=(SolutionRole(ROLE_ID, 'The "first" role', (READ_ACCOUNT, WRITE_OWN_ACCOUNT)),),
        tables=(
            NewTable(
                "csy_thing",
                "Thing",
                "Things",
                "csy_things",
                TextColumn("csy_name", "Name", 100),
                (TextColumn("csy_note", "Note", 400),),
            ),
        ),
    )

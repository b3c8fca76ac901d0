"""What the users of the demo company may do in Sales, and the team they are in."""

from collections.abc import Iterable, Mapping
from typing import Final

from crmsync.sandbox.bootstrap import ORGANIZATION_ID, ROOT_BUSINESS_UNIT_ID
from crmsync.sandbox.credentials import stable_id
from crmsync.sandbox.rights import SALESPERSON_ROLE

SALES_TEAM_ID: Final = stable_id("sales.team")
SALES_TEAM: Final = "Sales Office"

Row = dict[str, object]


def member_rows(users: Iterable[Mapping[str, object]]) -> dict[str, list[Row]]:
    """Each user holds the salespeople's role, and the owner team of all of them does, too."""
    ids = [str(user["systemuserid"]) for user in users]
    return {
        "team": [_team()],
        "teamroles": [_pair("teamrole", teamid=SALES_TEAM_ID, roleid=SALESPERSON_ROLE)],
        "teammembership": [
            _pair("teammembership", teamid=SALES_TEAM_ID, systemuserid=one) for one in ids
        ],
        "systemuserroles": [
            _pair("systemuserrole", systemuserid=one, roleid=SALESPERSON_ROLE) for one in ids
        ],
    }


def _team() -> Row:
    return {
        "teamid": SALES_TEAM_ID,
        "ownerid": SALES_TEAM_ID,
        "name": SALES_TEAM,
        "organizationid": ORGANIZATION_ID,
        "_businessunitid_value": ROOT_BUSINESS_UNIT_ID,
    }


def _pair(what: str, **ends: str) -> Row:
    return {f"{what}id": stable_id(".".join((what, *ends.values()))), **ends}

"""The page on which a browser signs in, and its way back to the application."""

from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit
from uuid import uuid4

from crmsync.sandbox.environment import Environment
from crmsync.sandbox.grants import client_info, code_for
from crmsync.sandbox.messages import Request, Response
from crmsync.sandbox.proofs import SignInError, check_client, password_user

_CARRIED: Final = (
    "client_id",
    "redirect_uri",
    "state",
    "nonce",
    "code_challenge",
    "response_mode",
    "client_info",
)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in to the sandbox</title>
<link rel="icon" href="data:,">
<h1>Sign in</h1>
<p>This is the sandbox's imitation of the Microsoft sign-in page.</p>
{problem}
<form method="post">
{carried}
<p><label>User name
<input name="username" type="email" value="{username}" list="people" autocomplete="off" required>
</label></p>
<datalist id="people">
{people}
</datalist>
<p><label>Password <input name="password" type="password" required></label></p>
<p><button>Sign in</button> <button name="cancel" value="1" formnovalidate>Cancel</button></p>
</form>
</html>
"""

_FORM_POST: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Working...</title>
<form method="post" action="{address}">
{fields}
<button>Continue</button>
</form>
<script>document.forms[0].submit()</script>
</html>
"""


_CANCELLED: Final = {
    "error": "access_denied",
    "error_subcode": "cancel",
    "error_description": "AADSTS65004: User declined to consent to access the app.",
}


def answer(environment: Environment, request: Request) -> Response:
    """Show the sign-in form, or take it and send the browser back with a code.

    Query and form_post are the ways back; PKCE by S256 is the only proof (RFC 7636).
    """
    wishes = request.form if request.method == "POST" else dict(parse_qsl(request.query))
    problem = _problem(environment, wishes)
    if problem:
        return _page(environment, wishes, problem, status=400)
    if request.method != "POST":
        return _page(environment, wishes, "")
    if wishes.get("cancel"):
        return _way_back(wishes, _CANCELLED)
    try:
        user = password_user(
            environment.credentials, wishes.get("username", ""), wishes.get("password", "")
        )
    except SignInError as error:
        return _page(environment, wishes, f"{error.code}: {error.sentence}")
    code = code_for(environment.credentials, user, wishes, now=environment.store.now())
    fields = {"code": code}
    if wishes.get("client_info"):
        fields["client_info"] = client_info(environment.credentials, user)
    return _way_back(wishes, {**fields, "session_state": str(uuid4())})


def _problem(environment: Environment, wishes: Mapping[str, str]) -> str:
    """Say why nobody may sign in this way, or return an empty text."""
    try:
        check_client(environment.credentials, wishes.get("client_id", ""))
    except SignInError as error:
        return f"{error.code}: {error.sentence}"
    if wishes.get("response_type", "code") != "code":
        return "AADSTS700054: only response_type 'code' is enabled for the application."
    if wishes.get("code_challenge") and wishes.get("code_challenge_method", "S256") != "S256":
        return "AADSTS501491: only the code_challenge_method S256 is implemented by this sandbox."
    address = urlsplit(wishes.get("redirect_uri", ""))
    if not _is_registered(address):
        return "AADSTS50011: the redirect URI does not match one registered for the application."
    return ""


def _is_registered(address: SplitResult) -> bool:
    """Take any https address for registered, and plain http on the user's own machine only."""
    return (address.scheme == "https" and bool(address.netloc)) or (
        address.scheme == "http" and address.hostname in _LOOPBACK
    )


def _page(
    environment: Environment, wishes: Mapping[str, str], problem: str, *, status: int = 200
) -> Response:
    people = environment.credentials.users
    page = _PAGE.format(
        people="\n".join(f'<option value="{escape(user.username)}">' for user in people),
        problem=f'<p role="alert">{escape(problem)}</p>' if problem else "",
        carried=_hidden({name: wishes[name] for name in _CARRIED if name in wishes}),
        username=escape(wishes.get("username") or wishes.get("login_hint", "")),
    )
    return _html(page, status)


def _way_back(wishes: Mapping[str, str], answer: Mapping[str, str]) -> Response:
    fields = {**answer, "state": wishes.get("state", "")}
    address = wishes["redirect_uri"]
    if wishes.get("response_mode") == "form_post":
        return _html(_FORM_POST.format(address=escape(address), fields=_hidden(fields)), 200)
    joint = "&" if urlsplit(address).query else "?"
    return Response(302, {"Location": f"{address}{joint}{urlencode(fields)}"})


def _hidden(fields: Mapping[str, str]) -> str:
    return "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )


def _html(page: str, status: int) -> Response:
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    return Response(status, headers, page.encode())

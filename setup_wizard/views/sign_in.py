"""Back from Microsoft's sign-in page: a page that posts what the browser brought, then the step.

The address is opened from another site, so the browser keeps the setup's key to itself there (it
is a SameSite=Strict cookie), and a GET changes nothing here anyway. The page that it shows sends
the same again from our own site: by itself, or by a button where no scripts run.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from crmsync.connections.wording import of_error
from crmsync.dataverse.errors import SignInNotOurs
from crmsync.frame.access import SET_UP, only
from setup_wizard.guide import signing_in
from setup_wizard.guide.steps import StepName
from setup_wizard.views import browser_key
from setup_wizard.views.reports import ShowsNoValues

# What Microsoft sends along and we need; the rest is left where it is.
BROUGHT = ("code", "state", "error", "error_description")
MOST_CHARACTERS = 8000


@only(SET_UP)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def signed_in(request: HttpRequest) -> HttpResponse:
    request.exception_reporter_filter = ShowsNoValues()
    if request.method != "POST":
        return render(request, "setup_wizard/signed-in.html", {"brought": _brought(request)})
    try:
        step = signing_in.complete(
            user_id=int(str(request.user.pk)),
            key=browser_key.read(request),
            answer=_brought(request),
        )
    except SignInNotOurs as error:
        context = {"said": of_error(error)}
        return render(request, "setup_wizard/sign-in-not-ours.html", context, status=400)
    if step == StepName.INTEGRATION_USER:
        messages.success(request, _("Signed in with Microsoft."))
    return redirect("setup_wizard:step", step=step.value)


def _brought(request: HttpRequest) -> dict[str, str]:
    given = request.POST if request.method == "POST" else request.GET
    return {name: given[name][:MOST_CHARACTERS] for name in BROUGHT if name in given}

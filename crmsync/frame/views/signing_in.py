"""Signing in and out, one's own password, and the language."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from crmsync.audit.actors import on_page
from crmsync.frame import accounts, signing_in, visitors
from crmsync.frame.access import anybody, must_choose_password, with_given_password
from crmsync.frame.forms import OwnPasswordForm


class SignIn(auth.LoginView):
    template_name = "frame/sign_in.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        address = visitors.address(self.request)
        signing_in.note_signed_in(user=form.get_user(), address=address)
        return super().form_valid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Somebody who has to wait is noted once, however often they try meanwhile."""
        failures = getattr(self.request, "axes_failures_since_start", None)
        # None: this attempt was not counted, as they wait already.
        if form.non_field_errors() and failures is not None:
            signing_in.note_refused(
                typed=form.cleaned_data["username"],
                address=visitors.address(self.request),
                begins_to_wait=failures >= settings.AXES_FAILURE_LIMIT,
            )
        return super().form_invalid(form)


sign_in = anybody(SignIn.as_view())
sign_out = anybody(auth.LogoutView.as_view())
language = anybody(require_POST(set_language))


@with_given_password
@sensitive_post_parameters()
def password(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = OwnPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        changed = accounts.choose_password(
            user_id=user.pk, password=form.cleaned_data["new_password1"], by=on_page(user)
        )
        update_session_auth_hash(request, changed)
        messages.success(request, _("Your password is changed."))
        return redirect("frame:home")
    context = {"form": form, "must_choose": must_choose_password(user)}
    return render(request, "frame/password.html", context)

"""The guide's steps: forms in, one service call a step, redirects out."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponseBase
from django.http.request import validate_host
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from formtools.wizard.views import NamedUrlWizardView, WizardView

from crmsync.frame.access import SET_UP, only
from crmsync.ledger.queries import get_company
from setup_wizard import answering, checks, queries
from setup_wizard.checks.subject import Result
from setup_wizard.errors import AlreadyFinishing, ChecksFailed, SetupProblem
from setup_wizard.finish import provisioning
from setup_wizard.guide import addresses, owners, progress, scopes, steps, summary
from setup_wizard.guide.draft import Draft, Problem
from setup_wizard.guide.forms import (
    AdministratorForm,
    CheckForm,
    ChecksForm,
    EnvironmentForm,
    IntegrationUserForm,
    StepForm,
)
from setup_wizard.guide.preflight import company_obstacle
from setup_wizard.guide.steps import StepName
from setup_wizard.guide.tables_form import TablesForm
from setup_wizard.integration_solution import SOLUTION
from setup_wizard.views.reports import ShowsNoValues

FORMS = (
    (StepName.ENVIRONMENT, EnvironmentForm),
    (StepName.ADMINISTRATOR, AdministratorForm),
    (StepName.INTEGRATION_USER, IntegrationUserForm),
    (StepName.TABLES, TablesForm),
    (StepName.CHECKS, ChecksForm),
    (StepName.CHECK, CheckForm),
)


class SetupWizard(NamedUrlWizardView):  # type: ignore[misc]  # formtools ships no types
    storage_name = "setup_wizard.views.storage.ProgressStorage"
    # Where the person signs in before the step is done; and what the checks saw.
    away = ""
    results: tuple[Result, ...] = ()

    def dispatch(self, request: HttpRequest, *args: Any, step: str) -> HttpResponseBase:
        request.exception_reporter_filter = ShowsNoValues()
        if step not in self.form_list:
            raise Http404
        progress.drop_expired()
        if company_obstacle(get_company()):
            return redirect("setup_wizard:start")
        response: HttpResponseBase = super().dispatch(request, *args, step=step)
        return response

    def get(self, request: HttpRequest, *args: Any, step: str) -> HttpResponseBase:
        """The step of the address, or the first that must be answered before it."""
        if not self._opens(step):
            return self._forward()
        if step == StepName.CHECKS:
            self.results = checks.look(self.draft)
        form = self.get_form()
        if (problem := self.draft.problem) and problem.place.step == step:
            form.show(problem.place.input, problem.text)
        return self._rendered(form)

    def post(self, request: HttpRequest, *args: Any, step: str) -> HttpResponseBase:
        if request.POST.get(f"{self.prefix}-current_step") != step:
            raise SuspiciousOperation("The form belongs to another step.")
        if step == StepName.CHECK and not self.draft.is_begun:
            return redirect("setup_wizard:done")
        if not self._opens(step):
            return self._forward()
        try:
            response: HttpResponseBase = WizardView.post(self, request, *args, step=step)
        except SetupProblem as problem:
            return self._refused(problem)
        return response

    @property
    def draft(self) -> Draft:
        draft: Draft = self.storage.draft
        return draft

    def get_prefix(self, request: HttpRequest, *args: Any, **kwargs: Any) -> str:
        return "setup"

    def get_form_prefix(self, step: str | None = None, form: Any = None) -> str:
        """None: only one step's form stands on a page."""
        return ""

    def get_form_kwargs(self, step: str | None = None) -> dict[str, Any]:
        return {"draft": self.draft}

    def get_form_initial(self, step: str) -> Mapping[str, Any]:
        # What is posted needs no beginning.
        return {} if self.request.method == "POST" else queries.prefill(self.draft, StepName(step))

    def get_form(self, step: str | None = None, data: Any = None, files: Any = None) -> StepForm:
        """Validated again from what is stored, a form asks for no secret."""
        form: StepForm = super().get_form(step, data, files)
        if data is not None and data is not self.request.POST:
            form.forget_secrets()
        return form

    def process_step(self, form: StepForm) -> Mapping[str, Any]:
        """Check and keep this step; returns the declared fields alone."""
        kept = answering.answer(
            step=StepName(self.steps.current),
            user_id=self.draft.user_id,
            key=self.storage.key,
            given=form.cleaned_data,
            comes_back_to=redirect_address(self.request),
        )
        self.away = kept.away
        for note in form.notes:
            messages.info(self.request, note)
        return kept.answers

    def render_next_step(self, form: StepForm, **kwargs: Any) -> HttpResponseBase:
        """To what is still open: after a change that is the check page at once."""
        return redirect(self.away) if self.away else self._forward()

    def render_done(self, form: StepForm, **kwargs: Any) -> HttpResponseBase:
        """In the POST that confirmed it: formtools would redirect to a GET that stores."""
        response: HttpResponseBase = WizardView.render_done(self, form, **kwargs)
        return response

    def done(self, form_list: list[StepForm], **kwargs: Any) -> HttpResponseBase:
        """The answers are confirmed; the page of the finish does the rest."""
        try:
            provisioning.begin(
                user_id=self.draft.user_id,
                key=self.storage.key,
                revision=form_list[-1].cleaned_data["revision"],
                address=_books(self.request),
            )
        except AlreadyFinishing:
            return redirect("setup_wizard:done")
        return redirect("setup_wizard:finish")

    def get_template_names(self) -> list[str]:
        return [f"setup_wizard/{self.steps.current}.html"]

    def get_context_data(self, form: StepForm, **kwargs: Any) -> dict[str, Any]:
        here = StepName(self.steps.current)
        is_last = here == StepName.CHECK
        if isinstance(form, TablesForm):
            form.offer(owners.candidates(self.draft), queries.chosen_owner(self.draft))
        return {
            **super().get_context_data(form=form, **kwargs),
            "draft": self.draft,
            "lines": queries.step_lines(self.draft, here=here),
            "seen": queries.seen(self.draft),
            "back": steps.step_before(here),
            "summary": summary.rows(self.draft) if is_last else (),
            "deeds": summary.deeds(self.draft, address=_books(self.request)) if is_last else (),
            "results": self.results,
            "not_yet": scopes.NOT_YET,
            **_addresses(self.request),
            "solution": SOLUTION,
            "solution_version": ".".join(map(str, SOLUTION.version)),
            "is_asked_again": here in self.draft.answers and here not in self.draft.done,
        }

    def _opens(self, step: str) -> bool:
        self.storage.current_step = step
        return steps.is_reached(StepName(step), done=self.draft.done)

    def _forward(self) -> HttpResponseBase:
        return redirect("setup_wizard:step", step=steps.first_open(self.draft.done).value)

    def _rendered(self, form: StepForm) -> HttpResponseBase:
        response: HttpResponseBase = self.render(form)
        return response

    def _refused(self, problem: SetupProblem) -> HttpResponseBase:
        """Beside the input that it concerns: on this page, or on that of an earlier step."""
        self.storage.look_again()
        form = self.get_form(data=self.request.POST)
        form.full_clean()
        at = StepName(self.steps.current)
        if not self._opens(at):
            messages.error(self.request, problem.in_full)
            return self._forward()
        if isinstance(problem, ChecksFailed):
            self.results = problem.results
        place = steps.place_of(problem, at=at, kind=_kind(problem, form, self.draft))
        if place.step != at:
            noted = Problem(place, problem.in_full)
            progress.note(user_id=self.draft.user_id, problem=noted)
            return redirect("setup_wizard:step", step=place.step.value)
        form.add_error(place.input or None, problem.in_full)
        return self._rendered(form)


def _books(request: HttpRequest) -> str:
    """Where people open our pages, as Sales is told."""
    return request.build_absolute_uri("/")


def redirect_address(request: HttpRequest) -> str:
    """Where Microsoft sends the browser back to, as it is registered there."""
    return request.build_absolute_uri(reverse("setup_wizard:signed-in"))


def _addresses(request: HttpRequest) -> dict[str, Any]:
    """What pages say of the address at which they are opened."""
    back, here = redirect_address(request), request.build_absolute_uri()
    opens = validate_host("localhost", settings.ALLOWED_HOSTS)
    return {
        "redirect_address": back,
        "may_come_back": addresses.may_come_back(back),
        "needs_manifest": addresses.needs_manifest(back),
        "localhost_address": addresses.under_localhost(back) if opens else "",
        "localhost_page": addresses.under_localhost(here) if opens else "",
    }


def _kind(problem: SetupProblem, form: StepForm, draft: Draft) -> str:
    """How the one signs in whom a problem is about."""
    is_administrator = problem.field == "admin-user"
    step = StepName.ADMINISTRATOR if is_administrator else StepName.INTEGRATION_USER
    asks_it = AdministratorForm if is_administrator else IntegrationUserForm
    given = form.cleaned_data.get("kind") if isinstance(form, asks_it) else ""
    return str(given or draft.answers.get(step, {}).get("kind") or "")


step = only(SET_UP)(
    sensitive_post_parameters()(
        SetupWizard.as_view(FORMS, url_name="setup_wizard:step", done_step_name="done")
    )
)

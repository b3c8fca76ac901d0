"""Integration Table Mappings: the list, one of them, and back to the default."""

from collections.abc import Collection

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from crmsync.audit.actors import on_page
from crmsync.frame.access import SET_UP, only
from crmsync.mapping.errors import MappingProblem, NotTheSettingsShown
from crmsync.mapping.overlay import Change
from crmsync.sync.services import change_mapping, restore_default_mappings
from setup_wizard.mappings import queries
from setup_wizard.mappings.forms import MappingForm

CONFLICT = 409


@only(SET_UP)
@require_safe
def mappings(request: HttpRequest) -> HttpResponse:
    return render(request, "setup_wizard/mappings/list.html", {"lines": queries.list_mappings()})


@only(SET_UP)
@require_http_methods(["GET", "HEAD", "POST"])
def mapping(request: HttpRequest, mapping: str) -> HttpResponse:
    page = _page_or_404(mapping)
    if request.method != "POST":
        return _show(request, MappingForm(page))
    form = MappingForm(page, request.POST)
    if not form.is_valid():
        return _show(request, form)
    try:
        changed = change_mapping(
            mapping=mapping,
            wanted=form.wanted(),
            expected=form.cleaned_data["shown"],
            by=on_page(request.user),
        )
    except NotTheSettingsShown as problem:
        return _show(request, MappingForm(_page_or_404(mapping)), problem)
    except MappingProblem as problem:
        return _show(request, form, problem)
    _tell(request, changed)
    return redirect("setup_wizard:mapping", mapping=mapping)


@only(SET_UP)
@require_http_methods(["GET", "HEAD", "POST"])
def default_mappings(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        expected = request.POST.get("shown", "")
        try:
            removed = restore_default_mappings(expected=expected, by=on_page(request.user))
        except MappingProblem as problem:
            return _show_defaults(request, problem)
        _tell(request, removed)
        return redirect("setup_wizard:mappings")
    return _show_defaults(request)


def _page_or_404(name: str) -> queries.MappingPage:
    try:
        return queries.mapping_page(name)
    except LookupError as error:
        raise Http404 from error


def _show(
    request: HttpRequest, form: MappingForm, problem: MappingProblem | None = None
) -> HttpResponse:
    context = {"page": form.page, "form": form, "problem": problem}
    status = CONFLICT if problem else None
    return render(request, "setup_wizard/mappings/mapping.html", context, status=status)


def _show_defaults(request: HttpRequest, problem: MappingProblem | None = None) -> HttpResponse:
    context = {"defaults": queries.defaults(), "problem": problem}
    status = CONFLICT if problem else None
    return render(request, "setup_wizard/mappings/defaults.html", context, status=status)


def _tell(request: HttpRequest, changed: Collection[Change]) -> None:
    count = len({(one.mapping, one.field, one.setting) for one in changed})
    if not count:
        messages.info(request, _("Nothing was changed."))
        return
    said = ngettext(
        "%(n)d setting was changed. The next synchronization goes by it.",
        "%(n)d settings were changed. The next synchronization goes by them.",
        count,
    )
    messages.success(request, said % {"n": count})

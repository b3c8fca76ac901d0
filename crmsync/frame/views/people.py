"""The people who use the product and the keys they use it with: for administrators."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crmsync.audit.actors import on_page
from crmsync.availability import keys
from crmsync.availability.errors import NoSuchHolder
from crmsync.frame import accounts, queries
from crmsync.frame.access import SET_UP, only
from crmsync.frame.errors import NoSuchPerson, PersonProblem
from crmsync.frame.forms import GroupForm, PersonForm
from crmsync.frame.people import add_non_interactive, add_with_new_password


@only(SET_UP)
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    after = request.GET.get("after", "").replace("\x00", "")
    page = queries.read_people(after=after)
    return render(request, "frame/people.html", {"page": page, "is_moved": bool(after)})


@only(SET_UP)
def add(request: HttpRequest) -> HttpResponse:
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _added(request, form)
        except PersonProblem as problem:
            form.add_error("name", f"{problem} {problem.remedy}")
    return render(request, "frame/add_person.html", {"form": form})


def _added(request: HttpRequest, form: PersonForm) -> HttpResponse:
    name, email = form.cleaned_data["name"], form.cleaned_data["email"]
    by = on_page(request.user)
    if form.cleaned_data["non_interactive"]:
        user_id = add_non_interactive(name=name, email=email, by=by)
        return redirect("frame:person", user_id=user_id)
    added = add_with_new_password(name=name, email=email, role=form.cleaned_data["role"], by=by)
    return _shown_once(request, added.user_id, password=added.password)


@only(SET_UP)
@require_safe
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    found = _person(user_id)
    form = GroupForm(initial={"role": found.role or ""})
    return render(request, "frame/person.html", {"person": found, "form": form})


@only(SET_UP)
@require_POST
def change_group(request: HttpRequest, user_id: int) -> HttpResponse:
    form = GroupForm(request.POST)
    if not form.is_valid():
        found = _person(user_id)
        return render(request, "frame/person.html", {"person": found, "form": form})
    role, by = form.cleaned_data["role"], on_page(request.user)
    return _done(
        request,
        user_id,
        lambda: accounts.change_role(user_id=user_id, role=role, by=by),
        _("The group is changed."),
    )


@only(SET_UP)
@require_POST
def disable(request: HttpRequest, user_id: int) -> HttpResponse:
    by = on_page(request.user)
    return _done(
        request,
        user_id,
        lambda: accounts.disable(user_id=user_id, by=by),
        _("The account is disabled. Its sessions have ended, and its key opens nothing."),
    )


@only(SET_UP)
@require_POST
def enable(request: HttpRequest, user_id: int) -> HttpResponse:
    by = on_page(request.user)
    return _done(
        request,
        user_id,
        lambda: accounts.enable(user_id=user_id, by=by),
        _("The account is enabled."),
    )


@only(SET_UP)
@require_POST
def reset_password(request: HttpRequest, user_id: int) -> HttpResponse:
    try:
        password = accounts.reset_password(user_id=user_id, by=on_page(request.user))
    except NoSuchPerson as problem:
        raise Http404 from problem
    except PersonProblem as problem:
        return _refused(request, user_id, problem)
    return _shown_once(request, user_id, password=password)


@only(SET_UP)
@require_POST
def change_key(request: HttpRequest, user_id: int) -> HttpResponse:
    """Asks first where there is a key: whoever uses it is locked out at once."""
    if keys.has_key(user_id=user_id) and "confirmed" not in request.POST:
        return render(request, "frame/confirm_key.html", {"person": _person(user_id)})
    try:
        key = keys.change_key(user_id=user_id, by=on_page(request.user))
    except NoSuchHolder as problem:
        raise Http404 from problem
    return _shown_once(request, user_id, key=key)


def _person(user_id: int) -> queries.Person:
    found = queries.read_person(user_id)
    if found is None:
        raise Http404
    return found


def _shown_once(request: HttpRequest, user_id: int, **secret: str) -> HttpResponse:
    """In the answer itself: a redirect would have to keep it somewhere meanwhile."""
    context = {
        "person": _person(user_id),
        "language_next": reverse("frame:person", kwargs={"user_id": user_id}),
        **secret,
    }
    return render(request, "frame/shown_once.html", context)


def _done(request: HttpRequest, user_id: int, act: Callable[[], None], said: str) -> HttpResponse:
    try:
        act()
    except NoSuchPerson as problem:
        raise Http404 from problem
    except PersonProblem as problem:
        return _refused(request, user_id, problem)
    messages.success(request, said)
    return redirect("frame:person", user_id=user_id)


def _refused(request: HttpRequest, user_id: int, problem: PersonProblem) -> HttpResponse:
    messages.error(request, f"{problem} {problem.remedy}")
    return redirect("frame:person", user_id=user_id)

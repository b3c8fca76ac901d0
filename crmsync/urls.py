"""One include a feature, named by string so that the ground imports no door."""

from django.urls import URLPattern, URLResolver, include, path

from crmsync import row_ids
from crmsync.health import health

handler400 = "crmsync.frame.views.problems.bad_request"
handler403 = "crmsync.frame.views.problems.not_allowed"
handler404 = "crmsync.frame.views.problems.not_found"
handler500 = "crmsync.frame.views.problems.went_wrong"

# Before the addresses of the doors, which use it.
row_ids.install()

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health, name="health"),
    path("", include("crmsync.frame.urls")),
    path("setup/", include("setup_wizard.urls")),
    path("tables/", include("coupling.urls")),
    path("", include("fullsync.urls")),
]

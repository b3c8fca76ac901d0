"""One include a feature, named by string so that the ground imports no door."""

from django.urls import URLPattern, URLResolver, path

from crmsync.health import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health, name="health"),
]

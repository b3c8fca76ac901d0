"""One include a feature, named by string so that the ground imports no door."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []

from django.urls import path

from setup_wizard import views

app_name = "setup_wizard"
urlpatterns = [
    path("", views.start, name="start"),
    path("cancel/", views.cancel, name="cancel"),
    path("done/", views.done, name="done"),
    path("<slug:step>/", views.step, name="step"),
]

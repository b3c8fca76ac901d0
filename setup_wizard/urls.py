from django.urls import path

from setup_wizard import views

app_name = "setup_wizard"
urlpatterns = [
    path("", views.start, name="start"),
    path("cancel/", views.cancel, name="cancel"),
    path("finish/", views.finish, name="finish"),
    path("done/", views.done, name="done"),
    path("signed-in/", views.signed_in, name="signed-in"),
    path("<slug:step>/", views.step, name="step"),
]

from django.urls import path

from setup_wizard import views
from setup_wizard.connection_setup import views as connection
from setup_wizard.mappings import views as mappings

app_name = "setup_wizard"
urlpatterns = [
    path("", views.start, name="start"),
    path("cancel/", views.cancel, name="cancel"),
    path("finish/", views.finish, name="finish"),
    path("done/", views.done, name="done"),
    path("signed-in/", views.signed_in, name="signed-in"),
    path("mappings/", mappings.mappings, name="mappings"),
    path("mappings/default/", mappings.default_mappings, name="default-mappings"),
    path("mappings/<slug:mapping>/", mappings.mapping, name="mapping"),
    path("connection/", connection.page, name="connection"),
    path("connection/status/", connection.status, name="connection-status"),
    path("connection/test/", connection.test, name="test-connection"),
    path("connection/enable/", connection.enable, name="enable"),
    path("connection/disable/", connection.disable, name="disable"),
    path("connection/credentials/", connection.credentials, name="credentials"),
    path("connection/rotate-keys/", connection.rotate_keys, name="rotate-keys"),
    path("connection/redeploy/", connection.redeploy, name="redeploy"),
    path("connection/reset/", connection.reset, name="reset"),
    path("<slug:step>/", views.step, name="step"),
]

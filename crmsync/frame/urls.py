from django.urls import path

from crmsync.frame.views import audit, home, people, signing_in

app_name = "frame"
urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", signing_in.sign_in, name="sign-in"),
    path("sign-out/", signing_in.sign_out, name="sign-out"),
    path("password/", signing_in.password, name="password"),
    path("language/", signing_in.language, name="language"),
    path("company/", home.company, name="company"),
    path("people/", people.people, name="people"),
    path("people/add/", people.add, name="add-person"),
    path("people/<row:user_id>/", people.person, name="person"),
    path("people/<row:user_id>/group/", people.change_group, name="change-group"),
    path("people/<row:user_id>/disable/", people.disable, name="disable-person"),
    path("people/<row:user_id>/enable/", people.enable, name="enable-person"),
    path("people/<row:user_id>/password/", people.reset_password, name="reset-password"),
    path("people/<row:user_id>/key/", people.change_key, name="change-key"),
    path("audit/", audit.audit, name="audit"),
    path("audit/export/", audit.export, name="audit-export"),
]

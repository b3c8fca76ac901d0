from django.urls import path

from crmsync.frame import views

app_name = "frame"
urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("password/", views.password, name="password"),
    path("language/", views.language, name="language"),
    path("company/", views.company, name="company"),
]

"""Lists, cards and coupling of every mapped table: the mapping is part of the address."""

from django.urls import path

from coupling.views import acts, cards, dialogs, lists, match

app_name = "coupling"
urlpatterns = [
    path("<str:mapping>/", lists.records, name="list"),
    path("<str:mapping>/synchronize/", acts.synchronize, name="synchronize"),
    path("<str:mapping>/delete-coupling/", acts.uncouple, name="uncouple-many"),
    path("<str:mapping>/undo/", acts.undo, name="undo"),
    path("<str:mapping>/leave-out/", acts.leave_out, name="leave-out"),
    path("<str:mapping>/take-back-in/", acts.take_back_in, name="take-back-in"),
    path("<str:mapping>/match/", match.match, name="match"),
    path("<str:mapping>/match/state/", match.match_state, name="match-state"),
    path("<str:mapping>/match/find/", match.match_find, name="match-find"),
    path("<str:mapping>/match/decide/", match.match_decide, name="match-decide"),
    path("<str:mapping>/match/criteria/", match.match_criteria, name="match-criteria"),
    path("<str:mapping>/<uuid:record_id>/", cards.card, name="card"),
    path("<str:mapping>/<uuid:record_id>/log/", cards.log, name="log"),
    path("<str:mapping>/<uuid:record_id>/delete-coupling/", acts.uncouple_one, name="uncouple"),
    path("<str:mapping>/<uuid:record_id>/accept/", acts.accept, name="accept"),
    path("<str:mapping>/<uuid:record_id>/coupling/", dialogs.couple, name="couple"),
    path("<str:mapping>/<uuid:record_id>/coupling/new/", dialogs.create, name="create"),
    path("<str:mapping>/<uuid:record_id>/coupling/read/", dialogs.read, name="read"),
    path("<str:mapping>/<uuid:record_id>/coupling/<row:job_id>/", dialogs.result, name="result"),
]

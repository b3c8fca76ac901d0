from django.urls import path, register_converter

from crmsync.terms import FirstWinner
from fullsync.views import errors, jobs, review


class Way:
    """The two ways that records go, as addresses name them."""

    regex = "to-crm|from-crm"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Way, "way")

app_name = "fullsync"
urlpatterns = [
    path("full-synchronization/", review.review, name="review"),
    path("full-synchronization/start/", review.start, name="start"),
    path("full-synchronization/restart/", review.restart, name="restart"),
    path("full-synchronization/reset/", review.reset, name="reset"),
    path("full-synchronization/cancel/", review.cancel, name="cancel"),
    path("full-synchronization/runs/", review.runs, name="runs"),
    path("full-synchronization/<row:run_id>/", review.run, name="run"),
    path(
        "full-synchronization/<row:run_id>/side-by-side/",
        review.side_by_side,
        name="side-by-side",
    ),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/<row:job_id>/", jobs.job, name="job"),
    path("jobs/<row:job_id>/cancel/", jobs.cancel_job, name="cancel-job"),
    path("jobs/<row:job_id>/<way:way>/", jobs.records, name="records"),
    path("errors/", errors.errors, name="errors"),
    path("errors/search/", errors.search, name="search"),
    path("errors/retry/", errors.retry, name="retry"),
    path("errors/retry-cause/", errors.retry_cause, name="retry-cause"),
    path(
        "errors/use-financials/",
        errors.settle,
        {"winner": FirstWinner.LEDGER},
        name="settle-ledger",
    ),
    path("errors/use-sales/", errors.settle, {"winner": FirstWinner.CRM}, name="settle-crm"),
    path("errors/leave-out/", errors.leave_out, name="leave-out"),
    path("errors/uncouple/", errors.uncouple, name="uncouple"),
    path("errors/undo/", errors.couple_again, name="undo"),
]

"""The assisted setup, walked through: a step is reached by answering those before it."""

import re
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import expect

from benchmarks.camera import Camera

NEXT = "#step .button-primary"
WRONG = "not-it"


def walk(camera: Camera, ready: Mapping[str, Any], *, is_finished: bool) -> None:
    """The assisted setup, each step first with an answer that Sales refuses."""
    application, administrator = ready["application"], ready["administrator"]
    camera.show("/setup/", "setup-begin")
    camera.press("a.button-primary")
    ours = {"url": ready["origin"], "application_id": application["client_id"]}
    _step(camera, "environment", {**ours, "url": "http://sales"}, ours)
    known = {"username": administrator["username"]}
    secret = {"password": administrator["password"]}
    _arrive(camera, "administrator")
    camera.within('[name="kind"][value="password"]').check()
    _step(camera, "administrator", known | {"password": WRONG}, known | secret)
    known = {"application": application["client_id"]}
    secret = {"application_secret": application["client_secret"]}
    _step(camera, "integration-user", known | {"application_secret": WRONG}, known | secret)
    _arrive(camera, "tables")
    camera.take("setup-tables")
    camera.press(NEXT)
    _arrive(camera, "checks")
    camera.take("setup-checks")
    camera.press(NEXT)
    _arrive(camera, "check")
    camera.take("setup-check")
    if is_finished:
        camera.press('form:has([name="revision"]) .button-primary')
        expect(camera.person.page).to_have_url(re.compile("/setup/finish/"))
        camera.take("setup-finish")
        expect(camera.person.page).to_have_url(re.compile("/setup/done/"), timeout=60_000)
        camera.take("setup-connected")
    else:
        camera.show("/setup/", "setup-begun")
        camera.show("/setup/cancel/", "setup-cancel-asks")
        camera.press(".button-danger")
        camera.take("setup-cancelled")


def _step(camera: Camera, step: str, wrong: Mapping[str, str], right: Mapping[str, str]) -> None:
    _arrive(camera, step)
    camera.take(f"setup-{step}")
    _answer(camera, wrong)
    expect(camera.within("#problems")).to_be_visible()
    camera.take(f"setup-{step}-error")
    _answer(camera, right)


def _arrive(camera: Camera, step: str) -> None:
    expect(camera.person.page).to_have_url(re.compile(f"/{step}/"))
    expect(camera.within(".steps")).to_be_visible()


def _answer(camera: Camera, answers: Mapping[str, str]) -> None:
    for name, answer in answers.items():
        camera.within(f"#id_{name}").fill(answer)
    camera.press(NEXT)

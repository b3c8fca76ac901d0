"""What no address shows by itself: each walk ends where a picture is taken.

Everything is found by ids and addresses, which are the same in every language.
"""

from django.template.loader import render_to_string
from django.utils import translation
from playwright.sync_api import expect

from benchmarks.camera import Camera

# Every picture of a walk, with the page that answers.
MOMENTS: dict[str, str] = {
    "setup-begin": "setup_wizard:start",
    "setup-environment": "setup_wizard:step",
    "setup-environment-error": "setup_wizard:step",
    "setup-administrator": "setup_wizard:step",
    "setup-administrator-error": "setup_wizard:step",
    "setup-integration-user": "setup_wizard:step",
    "setup-integration-user-error": "setup_wizard:step",
    "setup-tables": "setup_wizard:step",
    "setup-checks": "setup_wizard:step",
    "setup-check": "setup_wizard:step",
    "setup-finish": "setup_wizard:finish",
    "setup-begun": "setup_wizard:start",
    "setup-cancel-asks": "setup_wizard:cancel",
    "setup-cancelled": "setup_wizard:start",
    "setup-connected": "setup_wizard:done",
    "match-reads": "coupling:match",
    "match-found": "coupling:match",
    "match-coupled": "coupling:match-decide",
    "match-nothing-ticked": "coupling:match-decide",
    "list-panel": "coupling:list",
    "leave-out-asks": "coupling:leave-out",
    "leave-out-error": "coupling:leave-out",
    "left-out": "coupling:leave-out",
    "taken-back-in": "coupling:take-back-in",
    "nothing-ticked": "coupling:synchronize",
    "many-synchronized": "coupling:synchronize",
    "delete-coupling-asks": "coupling:uncouple-many",
    "delete-coupling-done": "coupling:uncouple-many",
    "delete-coupling-undone": "coupling:undo",
    "synchronized": "fullsync:job",
    "card-saved": "coupling:card",
    "card-error": "coupling:card",
    "card-clash": "coupling:card",
    "create": "coupling:create",
    "compare": "coupling:couple",
    "found-nothing": "coupling:couple",
    "company-error": "frame:company",
    "password-error": "frame:password",
    "errors-leave-out-asks": "fullsync:leave-out",
    "errors-nothing-ticked": "fullsync:retry",
    "errors-retried": "fullsync:retry",
    "sign-in-error": "frame:sign-in",
    "locked-out": "frame:sign-in",
    "page-not-found": "404",
    "page-out-of-date": "csrf",
    "page-went-wrong": "500",
    "page-not-to-be-opened": "405",
    "page-not-allowed": "403",
    "list-without-role": "coupling:list",
    "card-without-role": "coupling:card",
    "run-under-way": "fullsync:review",
    "run-cancel-asks": "fullsync:cancel",
    "jobs-under-way": "fullsync:jobs",
    "job-under-way": "fullsync:job",
    "job-cancel-asks": "fullsync:cancel-job",
    "run-without-worker": "fullsync:review",
    "home-without-worker": "frame:home",
    "run-stopped": "fullsync:review",
    "job-stopped": "fullsync:job",
    "run-of-ten": "fullsync:review",
    "side-by-side": "fullsync:side-by-side",
    "connection-tested": "setup_wizard:test-connection",
    "credentials-refused": "setup_wizard:credentials",
    "mapping-saved": "setup_wizard:mapping",
    "mappings-differ": "setup_wizard:mappings",
    "defaults-differ": "setup_wizard:default-mappings",
    "defaults-restored": "setup_wizard:default-mappings",
    "disable-error": "setup_wizard:disable",
    "connection-disabled": "setup_wizard:disable",
    "home-disabled": "frame:home",
    "review-disabled": "fullsync:review",
    "connection-enabled": "setup_wizard:enable",
    "enable-refused": "setup_wizard:enable",
    "former-connection": "setup_wizard:start",
    "home-after-reset": "frame:home",
}
WRONG = "not-it"
# Two things that a form refuses: what shows nothing, and what misleads a reader.
SHOWS_NOTHING = "\N{ZERO WIDTH SPACE}"
TURNS_ORDER = "\N{RIGHT-TO-LEFT OVERRIDE}"
LANGUAGE_CODES = {"English": "en", "Dansk": "da"}


def match_reads(camera: Camera) -> None:
    camera.person.open("/tables/CUSTOMER/match/")
    camera.send("/tables/CUSTOMER/match/find/")
    camera.take("match-reads")


def match_found(camera: Camera) -> None:
    camera.person.open("/tables/CUSTOMER/match/")
    expect(camera.within('form[action$="/find/"] button:enabled')).to_be_visible()
    camera.show("/tables/CUSTOMER/match/", "match-found")


def couple_some(camera: Camera) -> None:
    camera.person.open("/tables/CUSTOMER/match/?tab=certain")
    untick = camera.within('[name="untick_all"]')
    if untick.count():
        untick.click()
    camera.press('[name="accept"]')
    camera.take("match-nothing-ticked")
    boxes = camera.within('[name="chosen"]')
    for place in range(4):
        boxes.nth(place).check()
    camera.press('[name="accept"]')
    camera.take("match-coupled")


def of_list(camera: Camera, record: str) -> None:
    """What is done with the records of a list."""
    table = "/tables/CUSTOMER/"
    camera.show(f"{table}?selected={record}#panel", "list-panel")
    camera.person.open(f"{table}?tab=coupled")
    camera.send(f"{table}synchronize/")
    camera.take("nothing-ticked")
    _tick(camera, 3)
    camera.send(f"{table}delete-coupling/")
    camera.take("delete-coupling-asks")
    camera.press(".button-danger")
    camera.take("delete-coupling-done")
    camera.person.page.locator(f'form[action="{table}undo/"] button').click()
    camera.take("delete-coupling-undone")
    camera.person.open(f"{table}?tab=coupled")
    _tick(camera, 3)
    camera.send(f"{table}synchronize/")
    camera.take("many-synchronized")


def _tick(camera: Camera, count: int) -> None:
    boxes = camera.within('[name="ids"][type="checkbox"]')
    for place in range(count):
        boxes.nth(place).check()


def of_card(camera: Camera, record: str) -> None:
    """What is done with one record on its card."""
    card = f"/tables/CUSTOMER/{record}/"
    camera.person.open(card)
    camera.send("/tables/CUSTOMER/leave-out/")
    camera.take("leave-out-asks")
    give_reason(camera, SHOWS_NOTHING)
    camera.take("leave-out-error")
    give_reason(camera, "Closed down in spring; the last invoice is paid.")
    camera.take("left-out")
    camera.person.open(card)
    camera.send("/tables/CUSTOMER/take-back-in/")
    camera.take("taken-back-in")
    camera.person.open(card)
    camera.send("/tables/CUSTOMER/synchronize/")
    expect(camera.within("#live:not([hx-get])")).to_be_visible()
    camera.take("synchronized")
    _edit(camera, card)


def give_reason(camera: Camera, reason: str) -> None:
    camera.within("#id_reason").fill(reason)
    camera.press("form.form button")


def _edit(camera: Camera, card: str) -> None:
    camera.person.open(card)
    before = camera.within("#id_city").input_value()
    _save(camera, "#id_city", f"{before} 2")
    camera.take("card-saved")
    _save(camera, "#id_email", "nobody at all")
    camera.take("card-error")
    camera.person.open(card)
    with camera.person.context.expect_page() as opened:
        camera.person.page.evaluate("address => { window.open(address); }", card)
    other = opened.value
    other.locator("#id_city").fill(before)
    with other.expect_navigation():
        other.locator("form:has(#id_city) .button-primary").click()
    other.close()
    _save(camera, "#id_city", f"{before} 3")
    camera.take("card-clash")


def _save(camera: Camera, field: str, text: str) -> None:
    camera.within(field).fill(text)
    camera.press("form:has(#id_city) .button-primary")


def of_uncoupled(camera: Camera, record: str) -> None:
    """A record that looks like one in Sales."""
    coupling = f"/tables/CUSTOMER/{record}/coupling/"
    camera.show(f"{coupling}new/", "create")
    camera.show(f"{coupling}?q=zzzz", "found-nothing")
    camera.person.open(coupling)
    camera.press('a[href*="?crm="]')
    camera.take("compare")


def of_errors(camera: Camera) -> None:
    camera.person.open("/errors/")
    camera.press("#leave-out")
    camera.take("errors-nothing-ticked")
    camera.within('[name="record"]').first.check()
    camera.press("#leave-out")
    camera.take("errors-leave-out-asks")
    camera.person.open("/errors/")
    camera.press('[name="one"]')
    camera.take("errors-retried")


def of_forms(camera: Camera) -> None:
    camera.person.open("/password/")
    for name in ("old_password", "new_password1", "new_password2"):
        camera.within(f"#id_{name}").fill("12345")
    camera.press(".button-primary")
    camera.take("password-error")
    camera.person.open("/company/")
    camera.within("#id_local_currency_code").fill("1")
    camera.press(".button-primary")
    camera.take("company-error")


def of_problems(camera: Camera) -> None:
    """Pages in place of the one that was asked for."""
    camera.show("/nowhere/", "page-not-found")
    camera.show("/setup/connection/test/", "page-not-to-be-opened")
    camera.person.open("/password/")
    camera.person.context.clear_cookies(name="csrftoken")
    camera.within("form").evaluate("form => form.submit()")
    expect(camera.person.page.locator(".alone")).to_be_visible()
    camera.take("page-out-of-date")
    # Nobody can cause this one at will: its text is put where it would stand.
    address = camera.person.installation.url("/broken/")
    with translation.override(LANGUAGE_CODES[camera.language]):
        body = render_to_string("500.html")
    camera.person.page.route(
        address, lambda route: route.fulfill(body=body, content_type="text/html")
    )
    camera.show("/broken/", "page-went-wrong")


def without_role(camera: Camera, record: str) -> None:
    """What operations see of the administrators' and the accountants' pages."""
    camera.show("/setup/", "page-not-allowed")
    camera.show("/tables/CUSTOMER/", "list-without-role")
    camera.show(f"/tables/CUSTOMER/{record}/", "card-without-role")


def under_way(camera: Camera, job: int) -> None:
    review = "/full-synchronization/"
    camera.person.open(review)
    expect(camera.within("#live .tag-info").first).to_be_visible()
    camera.take("run-under-way")
    camera.show(f"{review}cancel/", "run-cancel-asks")
    camera.show("/jobs/", "jobs-under-way")
    camera.show(f"/jobs/{job}/", "job-under-way")
    camera.show(f"/jobs/{job}/cancel/", "job-cancel-asks")


def without_worker(camera: Camera) -> None:
    camera.person.open("/full-synchronization/")
    expect(camera.within("#live .tag-info")).to_have_count(0)
    expect(camera.within(".notice-warn").first).to_be_visible()
    camera.take("run-without-worker")
    camera.show("/", "home-without-worker")


def stopped(camera: Camera, job: int) -> None:
    camera.show("/full-synchronization/", "run-stopped")
    camera.show(f"/jobs/{job}/", "job-stopped")


def of_ten(camera: Camera, run: int) -> None:
    camera.show("/full-synchronization/", "run-of-ten")
    camera.show(f"/full-synchronization/{run}/side-by-side/", "side-by-side")


def of_strangers(camera: Camera) -> None:
    camera.person.open("/sign-in/")
    for _attempt in range(10):
        camera.within("#id_username").fill(f"nobody-{camera.language}")
        camera.within("#id_password").fill(WRONG)
        camera.press(".button-primary")
        expect(camera.within(".notice, h1").first).to_be_visible()
        if _attempt == 0:
            camera.take("sign-in-error")
    camera.take("locked-out")

"""Connection Setup and the pages behind it, with what an administrator does there."""

from benchmarks.camera import Camera
from benchmarks.moments import TURNS_ORDER, WRONG, give_reason


def of_connection(camera: Camera) -> None:
    """What an administrator does on Connection Setup and the pages behind it."""
    page = "/setup/connection/"
    camera.person.open(page)
    camera.send(f"{page}test/")
    camera.take("connection-tested")
    camera.person.open(f"{page}credentials/")
    camera.within("#id_application_secret").fill(WRONG)
    camera.press("form .button-primary")
    camera.take("credentials-refused")
    _change_a_mapping(camera)
    disable(camera, TURNS_ORDER)
    camera.take("disable-error")
    disable(camera, "The auditors are in the house until Friday.")
    camera.take("connection-disabled")
    camera.show("/", "home-disabled")
    camera.show("/full-synchronization/", "review-disabled")
    camera.person.open(page)
    camera.send(f"{page}enable/")
    camera.take("connection-enabled")


def _change_a_mapping(camera: Camera) -> None:
    camera.person.open("/setup/mappings/CUSTOMER/")
    camera.within("#id_conflict_policy").select_option(index=1)
    camera.within('input[type="checkbox"][name$="-takes_part"]').first.uncheck()
    camera.press("#save")
    camera.take("mapping-saved")
    camera.show("/setup/mappings/", "mappings-differ")
    camera.show("/setup/mappings/default/", "defaults-differ")
    camera.press("#restore")
    camera.take("defaults-restored")


def disable(camera: Camera, reason: str) -> None:
    camera.person.open("/setup/connection/disable/")
    give_reason(camera, reason)


def enable_refused(camera: Camera) -> None:
    """While Sales lets nobody in."""
    camera.person.open("/setup/connection/")
    camera.send("/setup/connection/enable/")
    camera.take("enable-refused")


def reset(camera: Camera) -> None:
    camera.person.open("/setup/connection/reset/")
    camera.press("form .button-danger")


def after_reset(camera: Camera) -> None:
    camera.show("/setup/", "former-connection")
    camera.show("/", "home-after-reset")

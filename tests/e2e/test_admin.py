"""What an administrator does on the admin page, in a real browser on a real daemon."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import StartFakeOllama
from tests.e2e.conftest import LAN_NAME, OpenPage
from tests.e2e.people import database, log_in, submit
from tests.running_daemon import PASSWORD, RunningDaemon, UnixConnection
from tests.sandbox.test_logo import png, svg
from tests.sandbox.test_walls import needs_bwrap


@pytest.fixture
def site(tmp_path: Path, start_fake_ollama: StartFakeOllama) -> Iterator[RunningDaemon]:
    """A daemon with an administrator `ada`; what writes the answers matters little here."""
    running = RunningDaemon(tmp_path, start_fake_ollama("--rate", "60").url).start()
    running.add_user("ada", "admin", name="Ada Lovelace", language="en")
    running.add_user("grace", "admin", language="en")
    running.add_user("marc", name="Marc Delaunay", language="en")
    yield running
    running.stop()


def enter(page: Page, name: str) -> None:
    """Log in as ada on the way to a page of the administration."""
    page.fill("input[name=login]", "ada")
    page.fill("input[name=password]", PASSWORD)
    submit(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def open_admin(site: RunningDaemon, open_page: OpenPage, path: str, name: str) -> Page:
    page = open_page(f"{site.address}/admin/{path}")
    enter(page, name)
    return page


def audited(site: RunningDaemon) -> list[tuple[str, str]]:
    with closing(database(site)) as opened:
        rows = opened.execute("SELECT actor, verb FROM audit ORDER BY id").fetchall()
    return [(str(actor).split()[0], str(verb)) for actor, verb in rows]


def confirm(page: Page, button: str, password: str = PASSWORD) -> None:
    """Type the password into the dialog and press the button that does it."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your password").fill(password)
    dialog.get_by_role("button", name=button).click()


def test_who_registered_is_approved_and_comes_in(site: RunningDaemon, open_page: OpenPage) -> None:
    theirs = open_page(f"{site.address}/register")
    fields = {"login": "tom", "name": "<b>Tom</b>"}
    for name, value in {**fields, "password": PASSWORD, "password_again": PASSWORD}.items():
        theirs.fill(f"input[name={name}]", value)
    submit(theirs)

    page = open_page(site.address)
    log_in(page, "ada")
    page.locator("details.menu summary").click()
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("link", name="waiting for approval").click()
    waiting = page.locator("li.person", has_text="<b>Tom</b>")
    waiting.get_by_role("button", name="Approve").click()

    expect(page.get_by_role("status").filter(has_text="may come in now")).to_be_visible()
    expect(page.get_by_role("heading", name="waits for approval")).to_have_count(0)
    theirs.goto(f"{site.address}/login")
    log_in(theirs, "tom")
    assert audited(site)[-1] == ("ada", "user.approve")


def test_who_is_suspended_is_signed_out_on_their_open_page(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    theirs = open_page(site.address)
    log_in(theirs, "marc")
    page = open_admin(site, open_page, "people", "People")
    page.get_by_label("Search").fill("DELAUNAY")
    expect(page.locator("li.person")).to_have_count(1)

    page.get_by_role("button", name="Suspend").click()
    confirm(page, "Suspend the account")

    theirs.wait_for_url("**/login?*notice=session_ended")
    expect(page.get_by_role("button", name="Let in again")).to_be_visible()


def test_who_is_demoted_loses_the_open_admin_page(site: RunningDaemon, open_page: OpenPage) -> None:
    page = open_admin(site, open_page, "", "Overview")
    expect(page.locator(".tile", has_text="Open pages").locator("strong")).to_have_text("1")

    site.control("POST", "/v1/users/ada/role", {"role": "member"})

    expect(page.get_by_role("heading", name="This is not for your account")).to_be_visible()


def test_a_role_is_changed_after_the_password_and_not_after_a_wrong_one(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "people", "People")
    page.get_by_label("Role of Marc Delaunay").select_option("admin")
    expect(page.get_by_role("dialog")).to_contain_text("all that you may do")
    expect(page.get_by_label("Role of Marc Delaunay")).to_have_value("member")
    confirm(page, "Change the role", "pas le bon mot de passe")
    expect(page.get_by_role("alert")).to_contain_text("not your password")
    assert ("ada", "user.role") not in audited(site)

    confirm(page, "Change the role")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_label("Role of Marc Delaunay")).to_have_value("admin")
    assert audited(site)[-1] == ("ada", "user.role")


def refuse(site: RunningDaemon) -> None:
    """Have the daemon write a warning into its log."""
    connection = UnixConnection(site.socket)
    connection.request("GET", "/v1/status", headers={"Origin": "http://elsewhere.test"})
    assert connection.getresponse().status == 403
    connection.close()


def test_the_log_is_followed_as_it_is_written_through_a_restart(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "server", "Server")
    panel = page.locator(".panel", has=page.get_by_role("heading", name="Log of the daemon"))
    log = panel.locator("pre")
    panel.get_by_role("switch", name="Follow it live").check()
    expect(log).to_contain_text("INFO couachgptd.daemon: ready")

    for _ in range(40):
        refuse(site)
    expect(log).to_contain_text("request refused")
    at_end = "each => each.scrollHeight - each.scrollTop - each.clientHeight < 3"
    page.wait_for_function(f"() => ({at_end})(document.querySelector('.log'))")
    log.evaluate("each => each.scrollTop = 0")
    panel.get_by_label("Level").select_option("WARNING")
    expect(log).not_to_contain_text("ready")
    panel.get_by_label("Anywhere").fill("nothing of the kind")
    expect(log).to_have_text("No line fits.")
    panel.get_by_label("Anywhere").fill("READY")
    panel.get_by_label("Level").select_option("DEBUG")
    expect(log).to_have_text(re.compile(r"^[^\n]*: ready[^\n]*$"))

    site.restart()

    expect(log).to_have_text(re.compile(r"^[^\n]*: ready[^\n]*\n[^\n]*: ready[^\n]*$"))
    panel.get_by_role("switch").uncheck()
    expect(panel.get_by_role("button", name="Fetch it again")).to_be_enabled()
    page.get_by_role("link", name="Overview").click()
    told = page.locator(".panel", has=page.get_by_role("heading", name="Last restarts"))
    expect(told.get_by_role("definition")).to_have_text(
        [re.compile("stopped by systemd or a signal, then started"), "none"]
    )


def test_a_dialog_that_is_left_does_nothing(site: RunningDaemon, open_page: OpenPage) -> None:
    page = open_admin(site, open_page, "server", "Server")
    page.get_by_role("button", name="Shut the server down").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    assert ("ada", "drain") not in audited(site)
    page.get_by_role("button", name="Shut the server down").click()
    expect(page.get_by_label("Your password")).to_have_value("")


def test_a_forgotten_password_is_mended_by_a_link_that_can_be_copied_without_tls(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    address = site.address.replace("127.0.0.1", LAN_NAME)
    page = open_page(f"{address}/admin/people")
    enter(page, "People")
    assert page.evaluate("navigator.clipboard === undefined"), "as on a LAN without TLS"
    row = page.locator("li.person", has_text="Marc Delaunay")
    row.get_by_role("button", name="New password").click()
    confirm(page, "Make the link")
    link = row.locator("code").inner_text()
    row.get_by_role("button", name="Copy").click()
    expect(row.get_by_role("button", name="Copied")).to_be_visible()
    page.get_by_label("Search").click()
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Search")).to_have_value(link)

    theirs = open_page(link)
    theirs.fill("input[name=password]", "un tout autre mot de passe")
    theirs.fill("input[name=password_again]", "un tout autre mot de passe")
    submit(theirs)
    expect(theirs.get_by_role("alert")).to_have_count(0)
    expect(theirs.get_by_role("status")).to_contain_text("Your new password is set")
    theirs.goto(link)  # it works once
    expect(theirs.locator("input[name=password]")).to_have_count(0)


def test_an_account_is_made_and_what_was_typed_outlives_a_mistake(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "people", "People")
    form = page.locator("form", has=page.get_by_label("First password"))
    form.get_by_label("Name", exact=True).fill("Zoé")
    form.get_by_label("User name").fill("marc")
    form.get_by_label("First password").fill(PASSWORD)
    form.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("alert")).to_contain_text("taken")
    expect(form.get_by_label("Name", exact=True)).to_have_value("Zoé")

    form.get_by_label("User name").fill("zoe")
    form.get_by_role("button", name="Make the account").click()

    expect(page.locator("li.person", has_text="Zoé")).to_be_visible()


def test_an_account_is_deleted_after_saying_what_goes(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "people", "People")
    row = page.locator("li.person", has_text="Marc Delaunay")
    row.get_by_role("button", name="Delete…").click()
    expect(row.get_by_text("0 conversations")).to_be_visible()
    row.get_by_role("combobox").last.select_option("grace")
    row.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_role("dialog")).to_contain_text("those of grace")
    confirm(page, "Delete for good")

    expect(row).to_have_count(0)
    assert audited(site)[-1] == ("ada", "user.rm")


def test_an_engine_that_is_nobodys_to_restart_says_so_in_the_dialog(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "engine", "Engine")
    page.get_by_role("button", name="Restart the engine").click()
    confirm(page, "Restart")

    expect(page.get_by_role("alert")).to_be_visible()


def test_our_own_engine_is_restarted_stopped_and_started(
    new_site: RunningDaemon, open_page: OpenPage
) -> None:
    new_site.add_user("ada", "admin", language="en")
    page = open_admin(new_site, open_page, "engine", "Engine")
    state = page.locator("li[aria-current=step]")
    expect(state).to_have_text("ready")
    page.get_by_role("button", name="Restart the engine").click()
    confirm(page, "Restart")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="being restarted")).to_be_visible()
    expect(state).to_have_text("ready")

    page.get_by_role("button", name="Stop the engine").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Your password")).to_have_count(0)  # it still counts
    dialog.get_by_role("button", name="Stop").click()
    expect(state).to_have_text("stopped")
    page.get_by_role("button", name="Start the engine").click()
    expect(state).to_have_text("ready")
    verbs = [verb for _, verb in audited(new_site)]
    assert verbs[-3:] == ["engine.restart", "engine.stop", "engine.start"]


def test_maintenance_is_seen_as_it_begins_and_ends(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "engine", "Engine")
    page.get_by_role("button", name="Begin maintenance").click()
    expect(page.locator("li[aria-current=step]")).to_have_text("maintenance")
    page.get_by_role("button", name="End maintenance").click()
    expect(page.locator("li[aria-current=step]")).to_have_text("ready")


def test_the_queue_is_held_seen_and_let_go(site: RunningDaemon, open_page: OpenPage) -> None:
    page = open_admin(site, open_page, "engine", "Engine")
    page.get_by_role("button", name="Hold the queue").click()
    theirs = open_page(site.address)
    log_in(theirs, "marc")
    theirs.locator("textarea").fill("[[tokens=5]] Bonjour")
    theirs.keyboard.press("Enter")

    line = page.get_by_role("row", name=re.compile("marc.*waits"))
    expect(line).to_be_visible()
    page.get_by_role("button", name="Let the queue go on").click()
    expect(theirs.locator("article.answer")).to_have_attribute("aria-busy", "false")
    expect(line).to_have_count(0)


def test_an_answer_is_cancelled_from_the_list(site: RunningDaemon, open_page: OpenPage) -> None:
    theirs = open_page(site.address)
    log_in(theirs, "marc")
    theirs.locator("textarea").fill("[[tokens=4000 rate=20]] Bonjour")
    theirs.keyboard.press("Enter")
    page = open_admin(site, open_page, "", "Overview")
    page.get_by_role("row", name=re.compile("marc")).get_by_role("button", name="Cancel").click()

    expect(theirs.locator("article.answer")).to_have_attribute("aria-busy", "false")


def test_a_model_is_loaded_and_made_the_default(site: RunningDaemon, open_page: OpenPage) -> None:
    page = open_admin(site, open_page, "engine", "Engine")
    row = page.get_by_role("row", name=re.compile("couac:3b"))
    row.get_by_role("button", name="Load", exact=True).click()
    expect(row).to_contain_text("loaded")
    row.get_by_role("button", name="Make default").click()
    expect(row).to_contain_text("default, loaded")
    assert site.control("GET", "/v1/models")[1]["default"] == "couac:3b"


def test_a_download_of_a_model_is_cancelled_in_the_middle_and_another_comes_to_its_end(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "engine", "Engine")
    name = page.get_by_label("Download a model").first
    name.fill("sans-fin:1b")
    page.get_by_role("button", name="Download", exact=True).click()
    progress = page.get_by_role("progressbar")
    expect(progress).to_have_js_property("position", 0.5)
    page.get_by_role("button", name="Cancel the download").click()
    expect(page.get_by_role("status").filter(has_text="is cancelled")).to_be_visible()
    expect(progress).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)

    name.fill("inexistant")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("There is no model inexistant")
    name.fill("nouveau:1b")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("nouveau:1b"))).to_be_visible()
    row = page.get_by_role("row", name=re.compile("sans-fin"))
    expect(row).to_have_count(0)
    # The row comes with the model, which is there a little before the record of it.
    pulls = 0
    for _ in range(50):
        if (pulls := [verb for _, verb in audited(site)].count("model.pull")) == 3:
            break
        page.wait_for_timeout(100)
    assert pulls == 3


def test_the_server_is_restarted_from_the_page_which_comes_back_by_itself(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "server", "Server")
    before = site.pid
    page.get_by_role("button", name="Restart the server").click()
    confirm(page, "Restart")
    expect(page.get_by_text("this page comes back with it")).to_be_visible()

    assert site.ended() == 85  # which systemd takes for: start me again
    site.start()

    expect(page.get_by_text(str(before), exact=True)).to_have_count(0)
    expect(page.get_by_text(str(site.pid), exact=True)).to_be_visible()
    expect(page.get_by_text("this page comes back with it")).to_have_count(0)


def test_a_backup_is_restored_from_the_page_and_its_administrator_logs_in_again(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    site.control("POST", "/v1/db/backups")
    site.add_user("zoe")
    page = open_admin(site, open_page, "data", "Data")
    row = page.get_by_role("row", name=re.compile("by hand"))
    row.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("dialog")).to_contain_text("What was written since is lost")
    confirm(page, "Restore the backup")
    expect(page.get_by_text("The server restarts with the backup of")).to_be_visible()

    assert site.ended() == 85
    site.start()

    page.wait_for_url("**/login?*notice=session_ended")
    enter(page, "Data")
    expect(page.get_by_role("row", name=re.compile("before a restore"))).to_be_visible()
    users = site.control("GET", "/v1/users")[1]["users"]
    assert [user["login"] for user in users] == ["ada", "grace", "marc"]


def test_who_was_signed_out_meanwhile_is_led_to_the_log_in_and_back(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "data", "Data")
    page.context.clear_cookies()
    page.get_by_role("button", name="Check integrity").click()

    page.wait_for_url("**/login?*notice=session_ended")
    enter(page, "Data")


def test_a_backup_is_made_and_downloaded_whole(
    site: RunningDaemon, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_admin(site, open_page, "data", "Data")
    page.get_by_role("button", name="Back up now").click()
    row = page.get_by_role("row", name=re.compile("by hand"))
    row.get_by_role("button", name="Download").click()
    with page.expect_download() as started:
        confirm(page, "Download")

    copy = tmp_path / "copy.db"
    started.value.save_as(copy)
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert opened.execute("SELECT count(*) FROM users").fetchone() == (3,)


def test_cleaning_up_counts_before_it_deletes(site: RunningDaemon, open_page: OpenPage) -> None:
    theirs = open_page(site.address)
    log_in(theirs, "marc")
    theirs.goto("about:blank")
    with closing(sqlite3.connect(site.data / "couachgpt.db")) as opened, opened:
        opened.execute("UPDATE sessions SET expires_at = 0")
    page = open_admin(site, open_page, "data", "Data")
    page.get_by_role("button", name="See what could go").click()
    choices = page.get_by_role("group", name="What to delete")
    expect(choices.get_by_label("1 sessions that have ended")).to_be_checked()
    expect(choices.get_by_label("0 conversations without a message")).to_be_disabled()

    page.get_by_role("button", name="Delete these").click()
    confirm(page, "Delete for good")

    expect(page.get_by_text("1 thing deleted.")).to_be_visible()
    page.get_by_role("button", name="Check integrity").click()
    expect(page.get_by_text("The database is whole.")).to_be_visible()


def test_the_audit_is_filtered_and_taken_away_as_csv(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "data", "Data")
    page.get_by_label("What (beginning)").fill("user.add")
    page.get_by_label("Anywhere").fill("grace")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("table.audit tbody tr")).to_have_count(1)
    with page.expect_download() as started:
        page.get_by_role("button", name="CSV").click()
    assert started.value.suggested_filename == "audit.csv"
    assert started.value.path().read_text().count("user.add") == 1


@pytest.mark.soak
def test_the_charts_are_drawn_and_follow_the_theme(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "", "Overview")
    # Two figures, one every ten seconds, and the page looks for them every thirty.
    expect(page.locator(".chart canvas")).to_have_count(5, timeout=70_000)
    expect(page.locator(".chart-words").first).to_contain_text("machine: ")
    before = page.locator(".chart canvas").first.screenshot()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator(".chart canvas")).to_have_count(5)
    assert page.locator(".chart canvas").first.screenshot() != before
    page.get_by_role("button", name="7 days").click()
    expect(page.get_by_text("A chart needs two figures")).to_be_visible()


def test_every_page_works_by_keyboard_and_fits_a_phone(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{site.address}/admin/", viewport={"width": 390, "height": 844})
    enter(page, "Overview")
    for name in ("Engine", "People", "Data", "Server", "Overview"):
        page.get_by_role("link", name=name, exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(page.locator(".panel").first).to_be_visible()
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), name


def test_registration_is_closed_at_once_and_given_back_to_the_configuration(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "people", "People")
    page.get_by_label("Who may make an account").select_option("closed")
    page.get_by_role("button", name="Save").click()
    confirm(page, "Change the setting")
    back = page.get_by_role("button", name="Back to the configuration (everybody, after approval)")
    expect(back).to_be_visible()
    theirs = open_page(f"{site.address}/register")
    expect(theirs.locator("input[name=password]")).to_have_count(0)

    back.click()
    page.get_by_role("dialog").get_by_role("button", name="Change the setting").click()
    expect(page.get_by_label("Who may make an account", exact=True)).to_have_value("approval")
    theirs.reload()
    expect(theirs.locator("input[name=password]")).to_be_visible()


def test_a_notice_is_seen_on_every_open_page_until_it_is_taken_away(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    theirs = open_page(site.address)
    log_in(theirs, "marc")
    page = open_admin(site, open_page, "server", "Server")
    page.get_by_label("Text").fill("Maintenance at <b>noon</b>")
    page.get_by_role("button", name="Show it").click()
    expect(theirs.get_by_text("Maintenance at <b>noon</b>")).to_be_visible()

    page.get_by_role("button", name="Take it away").click()
    expect(theirs.get_by_text("Maintenance at")).to_have_count(0)


def test_the_configuration_says_where_each_value_comes_from_and_hides_secrets(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "server", "Server")
    page.get_by_text(re.compile(r"^Show all")).click()
    row = page.get_by_role("row", name=re.compile(r"server\.port"))
    expect(row).to_contain_text(str(site.port))
    expect(row).to_contain_text("command line")


@needs_bwrap
def test_a_logo_is_examined_then_shown_to_everybody_until_it_is_taken_away(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "server", "Server")
    panel = page.locator("section").filter(has=page.get_by_role("heading", name="Logo", exact=True))
    bad = {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": svg("<script/>")}
    panel.locator("input[type=file]").set_input_files(bad)  # type: ignore[arg-type]
    panel.get_by_role("button", name="Show this logo").click()
    expect(panel.get_by_role("alert")).to_contain_text("The file was refused (element).")

    good = {"name": "logo.png", "mimeType": "image/png", "buffer": png()}
    panel.locator("input[type=file]").set_input_files(good)  # type: ignore[arg-type]
    panel.get_by_role("button", name="Show this logo").click()
    expect(panel.get_by_role("button", name="Take the logo away")).to_be_visible()

    visitor = open_page(f"{site.address}/login")
    logo = visitor.locator("img[src^='/brand/logo?v=']")
    expect(logo).to_be_visible()
    assert logo.evaluate("image => image.complete && image.naturalWidth") == 2
    panel.get_by_role("button", name="Take the logo away").click()
    expect(panel).to_contain_text("The logo of the configuration counts, or ours.")
    visitor.reload()
    expect(logo).to_have_count(0)


def test_a_starter_model_is_fetched_at_the_press_of_a_button(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_admin(site, open_page, "engine", "Engine")
    starter = page.get_by_role("row", name=re.compile("SmolLM2 135M.*Apache-2.0"))
    page.get_by_role("button", name="Fetch smollm2-135m").click()

    expect(starter).to_contain_text("on the server")
    expect(page.get_by_role("row", name=re.compile("smollm2:135m"))).to_be_visible()
    assert site.control("DELETE", "/v1/models/smollm2:135m")[0] == 200

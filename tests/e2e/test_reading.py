"""Reading: what an answer can hold, what a model thought, and a conversation that is long."""

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing

from playwright.sync_api import Page, expect

from couachgptd.storage.database import FILE_NAME
from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, log_in, wait_for_end
from tests.running_daemon import RunningDaemon

RICH = r"""Voici la **réponse**, une note[^1] et une formule : $e^{i\pi} + 1 = 0$, pour $5 et $6.

$$
\int_0^1 x^2 \,dx = \frac{1}{3}
$$

Une formule cassée, $\frac{1$, reste du texte. <img src=x onerror=alert(1)>

- [x] fait
- [ ] à faire

| mesure | valeur | une colonne qui est longue | une autre qui l’est encore plus | fin |
|---|--:|---|---|---|
| durée | 12,5 s | du texte pour la largeur | encore du texte pour la largeur | oui |

```python
def moyenne(valeurs: list[float]) -> float:
    return sum(valeurs) / len(valeurs) if valeurs else 0.0  # une ligne qui est bien trop longue
```

![Une tour](https://ailleurs.test/t.png)

[^1]: La *note*, en bas.
"""


def keep_conversation(site: RunningDaemon, name: str, login: str, texts: Sequence[str]) -> int:
    """Keep a conversation of questions and answers in turn, as if it had been had.

    Returns the id of its first message.
    """
    with closing(sqlite3.connect(site.data / FILE_NAME)) as opened, opened:
        (owner,) = opened.execute("SELECT id FROM users WHERE login = ?", (login,)).fetchone()
        opened.execute(
            "INSERT INTO conversations (id, kind, owner_id, title, created_at, updated_at)"
            " VALUES (?, 'chat', ?, 'À lire', 0, 0)",
            (name, owner),
        )
        parent = None
        for number, text in enumerate(texts):
            author = "model" if number % 2 else "person"
            parent = opened.execute(
                "INSERT INTO messages (conversation_id, parent_id, author, text, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (name, parent, author, text, number),
            ).lastrowid
    assert parent is not None
    return parent - len(texts) + 1


def test_an_answer_is_read_with_all_it_holds(daemon: RunningDaemon, open_page: OpenPage) -> None:
    keep_conversation(daemon, "RRRRRRRRRRRRRRRR", "claire", ["Montre-moi tout", RICH])
    phone = {"width": 390, "height": 844}
    page = open_page(f"{daemon.address}/login", locale="fr-FR", viewport=phone)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    log_in(page, "claire")
    page.wait_for_load_state("networkidle")
    assert not any("katex" in url.lower() for url in fetched)  # before an answer holds a formula

    page.goto(f"{daemon.address}/c/RRRRRRRRRRRRRRRR")
    answer = page.locator(".markdown")
    expect(answer.locator(".katex")).to_have_count(2)
    page.wait_for_load_state("networkidle")
    assert any(url.endswith(".woff2") for url in fetched)  # from us: another host fails the test
    expect(answer).to_contain_text("pour $5 et $6")
    expect(answer).to_contain_text(r"Une formule cassée, $\frac{1$, reste du texte. <img src=x")
    expect(answer.locator("img")).to_have_count(0)

    # What is wider than a phone scrolls in a box of its own.
    table = answer.locator(".table-scroll")
    assert table.evaluate("(box) => box.scrollWidth > box.clientWidth")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")

    code = answer.locator("pre")
    height = code.evaluate("(box) => box.clientHeight")
    page.get_by_role("button", name="Replier les longues lignes").click()
    assert code.evaluate("(box) => box.clientHeight") > height
    with page.expect_download() as download:
        page.get_by_role("button", name="Enregistrer dans un fichier").click()
    assert download.value.suggested_filename == "code.py"
    assert download.value.path().read_text(encoding="utf-8").startswith("def moyenne(")

    answer.locator(".footnote-use a").click()
    expect(answer.locator(".footnote > a")).to_be_focused()
    page.keyboard.press("Enter")
    expect(answer.locator(".footnote-use a")).to_be_focused()


def test_thoughts_tell_their_time_also_after_a_reload(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{daemon.address}/login")
    log_in(page, "claire")
    ask(page, "[[think tokens=20]] Hello")
    wait_for_end(page)
    thoughts = page.locator(".thinking summary")
    expect(thoughts).to_have_text(re.compile(r"^A réfléchi [\d,]+\ss$"))
    told = thoughts.text_content()

    page.reload()
    expect(thoughts).to_have_text(str(told))
    thoughts.click()
    page.get_by_label("Ouvrir le raisonnement pendant qu’il s’écrit").check()
    ask(page, "[[think hang_after=10]] Again")
    expect(page.locator("details[open]", has_text="Raisonnement en cours")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Arrêter")).click()
    wait_for_end(page)
    expect(thoughts.last).to_have_text(re.compile("^A réfléchi"))
    expect(page.locator("details[open]", has_text="A réfléchi")).to_have_count(1)  # the first


PARAGRAPH = "The tide turns, the boats swing round. " * 12
PLACE = """() => {
  const list = document.querySelector('section');
  const top = list.getBoundingClientRect().top;
  const shown = [...list.querySelectorAll('article')].find(
    (each) => each.getBoundingClientRect().bottom > top);
  return [shown.id, Math.round(shown.getBoundingClientRect().top - top)];
}"""


def articles(page: Page) -> int:
    return page.locator("article").count()


def test_a_long_conversation_opens_at_its_end_and_keeps_its_place_when_more_comes(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    texts = [f"Answer {n}. {PARAGRAPH}" if n % 2 else f"Question {n}?" for n in range(200)]
    first = keep_conversation(daemon, "LLLLLLLLLLLLLLLL", "marc", texts)
    page = open_page(f"{daemon.address}/login", locale="fr-FR")
    log_in(page, "marc")
    page.goto(f"{daemon.address}/c/LLLLLLLLLLLLLLLL")
    messages = page.get_by_role("region", name="Messages")
    expect(page.get_by_text("Answer 199.")).to_be_in_viewport()
    expect(page.locator("article")).to_have_count(20)

    # By scrolling: more comes before its end is reached, and what is read stays where it is.
    messages.hover()
    while articles(page) == 20:
        page.mouse.wheel(0, -200)
        page.wait_for_timeout(50)
    place = page.evaluate(PLACE)
    page.wait_for_timeout(300)  # nothing moves any more
    assert page.evaluate(PLACE) == place
    assert articles(page) == 50

    # By the button, from the very top, where browsers keep no place.
    messages.evaluate("(list) => { list.scrollTop = 0; }")
    expect(page.locator("article")).to_have_count(80)
    shown, _ = page.evaluate(PLACE)
    assert int(shown.removeprefix("message-")) in (first + 149, first + 150)

    # One far up is drawn with its neighbours only; from there one reads on, or goes to the newest.
    page.goto(f"{daemon.address}/c/LLLLLLLLLLLLLLLL#{first + 40}")
    page.reload()
    expect(page.get_by_text("Question 40?")).to_be_in_viewport()
    assert articles(page) < 100
    messages.hover()
    page.mouse.wheel(0, 100_000)
    expect(page.get_by_text("Question 60?")).to_be_attached()
    assert articles(page) < 150
    page.get_by_role("button", name="Aller au plus récent").click()
    expect(page.get_by_text("Answer 199.")).to_be_in_viewport()
    assert articles(page) == 20


BELOW = "(list) => Math.round(list.scrollHeight - list.scrollTop - list.clientHeight)"


def test_the_smallest_move_upwards_lets_go_and_a_button_leads_back(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    small = {"width": 390, "height": 500}
    page = open_page(f"{daemon.address}/login", viewport=small, has_touch=True)
    log_in(page, "claire")
    ask(page, "[[tokens=3000 rate=40]] Hello")  # 25 s, to its longest length
    messages = page.get_by_role("region", name="Messages")
    expect(page.locator(".markdown table").first).to_be_attached()
    devices = page.context.new_cdp_session(page)

    def touch() -> None:
        for kind, points in (
            ("touchStart", [150]),
            *(("touchMove", [y]) for y in range(155, 200, 5)),
            ("touchEnd", []),
        ):
            fingers = [{"x": 200, "y": y} for y in points]
            devices.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    jump = page.get_by_role("button", name=re.compile("Aller au plus récent"))

    moves: dict[str, Callable[[], object]] = {
        "wheel": lambda: page.mouse.wheel(0, -1),
        "keyboard": lambda: messages.press("ArrowUp"),
        "touch": touch,
        "scrollbar": lambda: messages.evaluate("(list) => { list.scrollTop -= 1; }"),
    }
    messages.hover()
    for move in moves.values():
        expect(jump).to_have_count(0)
        assert messages.evaluate(BELOW) <= 2
        move()
        page.wait_for_function("() => document.querySelector('.jump-dot') !== null")
        assert messages.evaluate(BELOW) > 100  # it went on to grow below, and nothing followed
        jump.click()
    expect(jump).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Arrêter")).click()
    wait_for_end(page)

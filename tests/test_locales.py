"""The texts: complete in both languages, and collected from every kind of source."""

import ast
import gettext
import json
import logging
import re
from pathlib import Path

import pytest

from couachgptd import i18n, paths
from scripts import locales
from scripts.locales import Tree
from scripts.web_texts import Text, TextError, texts_of

# --- the catalogues of the project ---------------------------------------------------------------


def test_every_text_is_in_both_catalogues_used_and_translated() -> None:
    problems = locales.check(Tree(locales.ROOT))

    assert not problems, "`make texts` brings in what is missing:\n" + "\n".join(problems)


def test_french_is_set_as_french_is() -> None:
    catalog = locales.load(Tree(locales.ROOT), "fr")
    forms = [form for message in catalog if message.id for form in locales._forms(message)]

    assert not [form for form in forms if re.search(r"\w'\w", form)], "write ’ instead of '"
    assert not [form for form in forms if re.search(r" [:;!?»]|« ", form)], (
        "a no-break space goes before : and », after «, a narrow one before ; ! ?"
    )


def test_no_text_hides_in_an_f_string_where_it_is_not_collected() -> None:
    """Python 3.11 gives an f-string as one token, so what is in it would stay English unnoticed."""
    hidden = [
        f"{path.relative_to(locales.ROOT)}:{call.lineno}"
        for path in (locales.ROOT / "couachgptd").rglob("*.py")
        for joined in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(joined, ast.JoinedStr)
        for call in ast.walk(joined)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in locales.KEYWORDS
        and any(isinstance(each, ast.Constant) for each in call.args)
    ]

    assert not hidden


# --- a small tree of its own ---------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path)
    for folder in ("couachgptd/http", "web/templates", "web/src/chat"):
        (tmp_path / folder).mkdir(parents=True)
    return tree


def write(tree: Tree, name: str, text: str) -> None:
    (tree.root / name).write_text(text, encoding="utf-8")


def msgids(tree: Tree) -> list[str | tuple[str, ...]]:
    return [
        message.id if isinstance(message.id, str) else tuple(message.id)
        for message in locales.extract(tree)
        if message.id
    ]


def translate(tree: Tree, msgid: str, translation: str, *, language: str = "fr") -> None:
    path = tree.po(language)
    text = path.read_text(encoding="utf-8")
    before = f'msgid "{msgid}"\nmsgstr '
    assert before in text, text
    path.write_text(re.sub(re.escape(before) + '".*"', f'{before}"{translation}"', text))


def test_python_texts_are_collected(tree: Tree) -> None:
    write(
        tree,
        "couachgptd/http/page.py",
        "def page(_, gettext, ngettext, n):\n"
        "    _('One ' 'text')\n"
        '    gettext("L\'autre")\n'
        "    ngettext('{n} file', '{n} files', n)\n"
        "    return mark('Later'), other('not this')\n",
    )

    assert msgids(tree) == ["One text", "L'autre", ("{n} file", "{n} files"), "Later"]


def test_template_texts_are_collected(tree: Tree) -> None:
    write(
        tree,
        "web/templates/page.html",
        "<a title=\"{{ _('Open') }}\">{{ gettext('Close') }}</a>\n"
        "{{ ngettext('%(num)s chat', '%(num)s chats', n) }}\n"
        "{% trans name=user.name %}Hello %(name)s{% endtrans %}"
        "{% trans n=2 %}one {{ n }}{% pluralize %}many {{ n }}{% endtrans %}",
    )

    assert msgids(tree) == [
        "Open",
        "Close",
        ("%(num)s chat", "%(num)s chats"),
        "Hello %%(name)s",
        ("one %(n)s", "many %(n)s"),
    ]


def test_a_template_that_does_not_parse_is_an_error(tree: Tree) -> None:
    write(tree, "web/templates/page.html", "{{ _('Open' }}")

    with pytest.raises(Exception, match="unexpected"):
        locales.extract(tree)


def test_browser_texts_are_collected_but_not_from_tests(tree: Tree) -> None:
    write(tree, "web/src/chat/stop.ts", "export const a = t('Stop'), b = tn('a', 'b', 1);")
    write(tree, "web/src/chat/Chat.svelte", "<p>{t('Ask')}</p>")
    write(tree, "web/src/chat/stop.test.ts", "t('Only in a test')")

    assert msgids(tree) == ["Ask", "Stop", ("a", "b")]


def test_a_browser_text_that_cannot_be_collected_is_named_with_its_place(tree: Tree) -> None:
    write(tree, "web/src/chat/stop.ts", "\nt(`Stop ${name}`)")

    with pytest.raises(TextError, match=r"^web/src/chat/stop\.ts:2: t\(\) takes a text"):
        locales.extract(tree)


def test_update_brings_in_what_is_new_drops_what_is_unused_and_keeps_the_rest(tree: Tree) -> None:
    write(tree, "web/src/chat/a.ts", "t('Stop'); t('Gone')")
    locales.update(tree)
    translate(tree, "Stop", "Arrêter")
    write(tree, "web/src/chat/a.ts", "\n\nt('Stop'); t('Stopped')")

    locales.update(tree)

    text = tree.po("fr").read_text(encoding="utf-8")
    assert 'msgid "Stop"\nmsgstr "Arrêter"' in text
    assert 'msgid "Stopped"\nmsgstr ""' in text
    assert "Gone" not in text
    assert "fuzzy" not in text


def test_update_twice_changes_nothing(tree: Tree) -> None:
    write(tree, "web/src/chat/a.ts", "t('Stop'); tn('{n} a', '{n} b', 2)")
    locales.update(tree)
    before = tree.po("fr").read_bytes()

    locales.update(tree)

    assert tree.po("fr").read_bytes() == before


def test_check_names_each_fault(tree: Tree) -> None:
    write(tree, "web/src/chat/a.ts", "t('Kept {n}'); t('Gone'); t('Empty'); t('Fuzzy')")
    locales.update(tree)
    translate(tree, "Kept {n}", "Gardé {m}")
    translate(tree, "Gone", "Parti")
    translate(tree, "Fuzzy", "Flou")
    text = tree.po("fr").read_text(encoding="utf-8")
    tree.po("fr").write_text(text.replace('msgid "Fuzzy"', '#, fuzzy\nmsgid "Fuzzy"'))
    write(tree, "web/src/chat/a.ts", "t('Kept {n}'); t('Empty'); t('Fuzzy'); t('New')")

    po = "web/locales/fr/LC_MESSAGES/couachgpt.po"
    assert [problem for problem in locales.check(tree) if problem.startswith(po)] == [
        f"{po}: missing (from web/src/chat/a.ts): 'New'",
        f"{po}: not used by any source: 'Gone'",
        f"{po}: not translated: 'Empty'",
        f"{po}: marked fuzzy: 'Fuzzy'",
        f"{po}: placeholders ['{{m}}'] where the source has ['{{n}}']: 'Kept {{n}}'",
    ]


def test_english_may_stay_empty(tree: Tree) -> None:
    write(tree, "web/src/chat/a.ts", "t('Stop'); tn('one', '{n} more', 2)")
    locales.update(tree)

    assert not [problem for problem in locales.check(tree) if "/en/" in problem]


def test_compile_gives_the_server_all_and_the_browser_what_it_uses(tree: Tree) -> None:
    write(tree, "web/templates/page.html", "{{ _('Log in') }}")
    write(tree, "web/src/chat/a.ts", "t('Stop'); t('Chat'); tn('{n} file', '{n} files', 2)")
    locales.update(tree)
    translate(tree, "Log in", "Se connecter")
    translate(tree, "Stop", "Arrêter")
    translate(tree, "Chat", "Chat")
    text = tree.po("fr").read_text(encoding="utf-8")
    text = text.replace('msgstr[0] ""', 'msgstr[0] "{n} fichier"')
    tree.po("fr").write_text(text.replace('msgstr[1] ""', 'msgstr[1] "{n} fichiers"'))

    locales.compile_all(tree)

    with tree.mo("fr").open("rb") as file:
        server = gettext.GNUTranslations(file)
    assert server.gettext("Log in") == "Se connecter"
    assert [server.ngettext("{n} file", "{n} files", n) for n in (0, 1, 2)] == [
        "{n} fichier",
        "{n} fichier",
        "{n} fichiers",
    ]
    assert json.loads(tree.json("fr").read_text(encoding="utf-8")) == {
        "Stop": "Arrêter",
        "{n} file": {"one": "{n} fichier", "many": "{n} fichiers", "other": "{n} fichiers"},
    }
    assert json.loads(tree.json("en").read_text(encoding="utf-8")) == {
        "{n} file": {"one": "{n} file", "other": "{n} files"},
    }


def test_what_the_chat_says_only_later_is_not_in_what_it_loads_at_once(tree: Tree) -> None:
    (tree.root / "web/src/entries").mkdir()
    write(
        tree, "web/src/entries/chat.ts", "import { a } from '../chat/a';\nimport type B from './b';"
    )
    write(tree, "web/src/entries/admin.ts", "import {\n  later,\n} from '../chat/later';")
    write(tree, "web/src/chat/a.ts", "t('At once'); t('Both'); const l = () => import('./later');")
    write(tree, "web/src/chat/later.ts", "t('Later'); t('Both');")
    write(tree, "web/src/chat/orphan.ts", "t('Of none');")

    used = locales.texts_by_part(tree)

    assert used["texts"] == {"At once", "Both", "Of none"}
    assert used["later"] == used["admin"] == {"Later"}


# --- the browser's code --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("t('Stop')", ["Stop"]),
        ('t("It\'s", { n })', ["It's"]),
        ("t(`Plain`)", ["Plain"]),
        ("t(\n  'Long ' +\n    'text',\n)", ["Long text"]),
        (r"t('a\'b\n\u00e9\u{1F600}')", ["a'b\né😀"]),
        ("`x ${t('Inside')} y ${`${t('Deep')}`}`", ["Inside", "Deep"]),
        ("mark('Later')", ["Later"]),
        ("t(code); x.t('no'); at('no'); function t('no') {}; const t = 1", []),
        ("// t('no')\n/* t('no') */ t('yes')", ["yes"]),
        ("'t(\\'no\\')'; \"t('no')\"; `t('no')`", []),
        ("a.replace(/['\"`]/g, t('yes')); b = 4 / 2; c = 'x' / t('too')", ["yes", "too"]),
        ("return /t('no')/.test(x) ? t('a') : t('b')", ["a", "b"]),
        ("t('a' + b); t('a'.trim())", []),
        ("'https://x/' + t('after a slash')", ["after a slash"]),
        ("t(t('inner'))", ["inner"]),
    ],
)
def test_texts_of_typescript(source: str, expected: list[str]) -> None:
    assert [text.one for text in texts_of(source, svelte=False)] == expected


def test_two_forms_are_one_text() -> None:
    assert texts_of("tn('{n} a', \"{n} b\", count, {})", svelte=False) == [
        Text(1, "{n} a", "{n} b")
    ]


@pytest.mark.parametrize("source", ["t(`a ${b}`)", "tn('a', `b ${c}`, 2)", "tn('a', b, 2)"])
def test_what_cannot_be_collected_is_refused(source: str) -> None:
    with pytest.raises(TextError):
        texts_of(source, svelte=False)


def test_texts_of_a_component() -> None:
    source = """\
<script lang="ts">
  const label = t('In the script');
</script>
<!-- {t('no')} -->
<p title="{t('In an attribute')}" aria-label={t('Bare')}>L'élève n'a pas {t('Between')} d'eau</p>
{#if open && t('In a block')}
  <b>{@html x}{`${t('In a template')}`}</b>
{:else if { a: 1 }.a}
  {#each list as { name } (name)}<i onclick={() => { say(t('In a function')); }}></i>{/each}
{/if}
<p>(t('not code'))</p>
<style>p { content: "{t('no')}"; }</style>
"""

    assert [(text.line, text.one) for text in texts_of(source, svelte=True)] == [
        (2, "In the script"),
        (5, "In an attribute"),
        (5, "Bare"),
        (5, "Between"),
        (6, "In a block"),
        (7, "In a template"),
        (9, "In a function"),
    ]


# --- which language ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preferred", "accept", "chosen"),
    [
        (None, None, "fr"),
        (None, "", "fr"),
        (None, "de,es;q=0.5", "fr"),
        (None, "en", "en"),
        (None, "en-GB,fr;q=0.9", "en"),
        (None, "de, en;q=0.3, fr-CA;q=0.8", "fr"),
        (None, "en;q=0, de", "fr"),
        (None, "EN-us", "en"),
        (None, "*, en;q=0.5", "fr"),
        (None, "en;q=much, en;level=1, ;;,", "fr"),
        ("en", "fr", "en"),
        ("fr", "en", "fr"),
        ("de", "en", "en"),
    ],
)
def test_the_language_is_the_chosen_one_then_the_browsers_then_french(
    preferred: str | None, accept: str | None, chosen: str
) -> None:
    assert i18n.choose_language(preferred=preferred, accept_language=accept) == chosen


def test_a_missing_catalogue_gives_english_and_one_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(paths, "web_dir", lambda: tmp_path)
    i18n.translations.cache_clear()

    with caplog.at_level(logging.WARNING):
        said = [i18n.translations("fr").gettext("Stop") for _ in range(2)]

    i18n.translations.cache_clear()
    assert said == ["Stop", "Stop"]
    assert len(caplog.records) == 1

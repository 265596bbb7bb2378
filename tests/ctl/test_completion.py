"""What zsh and fish really offer after words of couachgptctl; tests/test_bundle.py has bash."""

import subprocess
from pathlib import Path

from couachgptd.ctl.completion import script

# A terminal of zsh's own, in which Tab is pressed; a read ends once what is meant was completed.
ZSH = r"""
zmodload zsh/zpty
zpty shell env TERM=dumb zsh -f -i
zpty -w shell "fpath+=($1); autoload -Uz compinit && compinit -D -u"
zpty -n -w shell $'couachgptctl setting r\t'
zpty -r -m shell out '*setting reset*'
zpty -n -w shell $'\C-ucouachgptctl --socket db audit ls --si\t'
zpty -r -m shell out '*audit ls --since*'
"""


def test_zsh_completes_from_the_first_tab_on(tmp_path: Path) -> None:
    (tmp_path / "_couachgptctl").write_text(script("zsh"), encoding="utf-8")

    subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", tmp_path], check=True, timeout=30)


def test_fish_offers_the_verbs_with_what_they_are_for(tmp_path: Path) -> None:
    (tmp_path / "couachgptctl.fish").write_text(script("fish"), encoding="utf-8")
    program = f"source {tmp_path}/couachgptctl.fish; complete -C 'couachgptctl db backup '"

    done = subprocess.run(
        ["fish", "--no-config", "-c", program], capture_output=True, text=True, check=True,
        timeout=30, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip

    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["download", "rm"]
    assert "delete a backup for good" in done.stdout

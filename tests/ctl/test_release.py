"""rollback where there is nothing to go back to; tests/systemd has it where there is."""

from tests.ctl.terminal import run


async def test_rollback_says_that_install_sh_was_not_here() -> None:
    done = await run("rollback", "--yes")

    assert done.code == 1
    assert "was not installed by install.sh" in done.err

"""Removes spaces at line ends and sees to one newline at the end; fails when it changed a file."""

import sys
from pathlib import Path


def main() -> int:
    changed = False
    for path in map(Path, sys.argv[1:]):
        before = path.read_text(encoding="utf-8")
        after = "\n".join(line.rstrip(" \t") for line in before.split("\n")).rstrip("\n") + "\n"
        if before and after != before:
            path.write_text(after, encoding="utf-8")
            print(f"mended {path}")
            changed = True
    return int(changed)


if __name__ == "__main__":
    sys.exit(main())

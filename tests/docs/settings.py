#!/usr/bin/env python3
"""The table of settings in docs/reference.md is the one in src/settings/settings.cpp.

usage: settings.py SOURCE_DIR
"""

import pathlib
import re
import sys

ROW = re.compile(r'\{Key::\w+,\s+"(\w+)",\s+(?:std::nullopt|"([^"]*)")')


def main():
    root = pathlib.Path(sys.argv[1])
    rows = ROW.findall((root / "src/settings/settings.cpp").read_text())
    reference = (root / "docs/reference.md").read_text()
    documented = re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|required)? ?\|", reference, re.MULTILINE)
    if not rows or sorted(rows) != sorted(documented):
        sys.exit("the table in docs/reference.md differs from src/settings/settings.cpp in:\n" +
                 "\n".join(map(str, sorted(set(rows) ^ set(documented)))))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Every relative link in the documents leads to a file.

usage: links.py SOURCE_DIR
"""

import pathlib
import re
import sys

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def main():
    root = pathlib.Path(sys.argv[1])
    documents = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("sample/**/*.md")]
    broken = [
        f"{document.relative_to(root)}: {link}"
        for document in documents
        for link in LINK.findall(document.read_text())
        if not link.startswith(("http://", "https://")) and not (document.parent / link).exists()
    ]
    if broken or not documents:
        sys.exit("links that lead nowhere:\n" + "\n".join(broken))


if __name__ == "__main__":
    main()

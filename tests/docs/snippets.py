#!/usr/bin/env python3
"""Holds the documents to what they show.

usage: snippets.py compile DOCUMENT COMPILER [FLAG...]   every C++ block compiles
       snippets.py output  DOCUMENT COMMAND SCRIPT...     what the document shows after `$ COMMAND` is what SCRIPT prints

A block ```cpp whose first line is a comment with a file name (`// functions.hpp`) is that file. Any other is statements,
compiled in a function after every header that the document has named so far. A block after the line
`<!-- not compiled: REASON -->` is left out.

Every line of output shown must be printed, as often as it is shown; the processes run at once, so not in an order.
Times, ids, ports and durations may differ; a line `...` stands for any number of lines.
"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK_START = re.compile(r"^```(\w*)$")


def blocks(text):
    """Yields (line number of the first line inside, language, the line before the block, body)."""
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        start = BLOCK_START.match(lines[number])
        number += 1
        if not start:
            continue
        first = number
        while lines[number] != "```":
            number += 1
        before = next((line for line in reversed(lines[: first - 1]) if line.strip()), "")
        yield first + 1, start.group(1), before, "\n".join(lines[first:number]) + "\n"
        number += 1


def cpp_files(document):
    """The C++ blocks of a document as files: (name, content) in order."""
    headers, statements = [], 0
    for line, language, before, body in blocks(document.read_text()):
        if language != "cpp" or before.startswith("<!-- not compiled:"):
            continue
        origin = f'#line {line} "{document}"\n'
        named = re.match(r"// ([\w/]+\.[ch]pp)\n", body)
        if named:
            guard = "#pragma once\n" if named.group(1).endswith(".hpp") else ""
            yield named.group(1), guard + origin + body
            if named.group(1).endswith(".hpp"):
                headers.append(named.group(1))
        else:
            statements += 1
            includes = "".join(f'#include "{header}"\n' for header in headers)
            yield f"statements_{statements}.cpp", f"{includes}[[maybe_unused]] static void statements() {{\n{origin}{body}}}\n"


def compile_document(document, compiler):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        compiled = 0
        for name, content in cpp_files(document):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            if path.suffix == ".cpp":
                compiled += 1
                subprocess.run([*compiler, f"-I{folder}", "-fsyntax-only", path], check=True)
        if compiled == 0:
            sys.exit(f"{document}: no C++ block to compile")
        print(f"{document}: {compiled} blocks compile")


def normalized(line):
    line = re.sub(r"\x1b\[[0-9;]*[mK]", "", line).rstrip()
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", line)
    line = re.sub(r"\b[0-9a-f]{32}\b", "ID", line)
    line = re.sub(r"\d+(\.\d+)? ms\b", "N ms", line)
    line = re.sub(r"(?<=my-topic )\d+", "ID", line)
    line = re.sub(r"(?<=received event )\d+", "ID", line)
    line = re.sub(r"(?<=process )\d+", "PID", line)
    return re.sub(r"(?<=:)\d{4,5}\b", "PORT", line)


def shown_output(document, command):
    for _, _, _, body in blocks(document.read_text()):
        first, _, rest = body.partition("\n")
        if first == f"$ {command}":
            return [line for line in rest.split("\n") if line.strip()]
    sys.exit(f"{document}: no block begins with `$ {command}`")


def check_output(document, command, script):
    run = subprocess.run(script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"{script} failed with status {run.returncode}:\n{run.stdout}")
    printed = collections.Counter(normalized(line) for line in run.stdout.splitlines())
    shown = collections.Counter(normalized(line) for line in shown_output(document, command) if line.strip() != "...")
    missing = shown - printed
    if missing:
        sys.exit(f"{document} shows what is not printed:\n  " + "\n  ".join(missing) + f"\nprinted:\n{run.stdout}")


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    document = pathlib.Path(sys.argv[2])
    if sys.argv[1] == "compile":
        compile_document(document, sys.argv[3:])
    else:
        check_output(document, sys.argv[3], sys.argv[4:])


if __name__ == "__main__":
    main()

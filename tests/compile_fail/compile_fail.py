#!/usr/bin/env python3
"""Compiles a snippet that must not compile, and checks what the compiler says first.

usage: compile_fail.py SNIPPET COMPILER [FLAG...]

The snippet holds one line `// expect: TEXT`; the compiler must fail and its first error line must contain TEXT. With
`// expect below: TEXT` TEXT may stand in the lines after it, for what a consteval function refuses: there compilers
first say that a constant was wanted. A snippet with the line `// compiles` instead is the control: it must compile, or
the others prove nothing.
"""

import re
import subprocess
import sys


def expectation(text):
    """(TEXT, whether it may stand below), or None for a control snippet; raises ValueError where there is neither."""
    expected = re.findall(r"^// expect( below)?: (.+)$", text, re.MULTILINE)
    control = re.search(r"^// compiles$", text, re.MULTILINE)
    if len(expected) + bool(control) != 1:
        raise ValueError("needs exactly one line `// expect: TEXT` or `// compiles`")
    return (expected[0][1].strip(), bool(expected[0][0])) if expected else None


def verdict(expected, returncode, output):
    """What is wrong, or None."""
    first_error = next((line for line in output.splitlines() if "error:" in line), "")
    if expected is None:
        return None if returncode == 0 else f"must compile, and does not: {first_error}"
    if returncode == 0:
        return "compiles, and must not"
    text, may_stand_below = expected
    if text not in (output if may_stand_below else first_error):
        return f"fails for another reason.\nexpected: {text}\nfirst error: {first_error or '(none)'}"
    return None


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    snippet, command = sys.argv[1], sys.argv[2:]
    with open(snippet, encoding="utf-8") as file:
        expected = expectation(file.read())
    run = subprocess.run([*command, "-fsyntax-only", snippet], capture_output=True, text=True, check=False)
    problem = verdict(expected, run.returncode, run.stdout + run.stderr)
    if problem:
        sys.exit(f"{snippet}: {problem}\n\n{run.stderr}")


if __name__ == "__main__":
    main()

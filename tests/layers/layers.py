#!/usr/bin/env python3
"""Checks the include graph of the source tree against the house's layers.

usage: layers.py SOURCE_DIR

The order of the layers is that of src/CMakeLists.txt, lowest first: a folder may include itself and what stands above
it in that list. The rules that an order cannot say are in APART and THIRD_PARTY below. Unit tests, which may reach
sideways, are free of the order but not of the rules for public headers.
"""

import pathlib
import re
import sys

# Folders of src/ that never meet, in either direction, whatever the order says.
APART = [
    ("http", "pubsub", "a worker that only takes pushes links no gRPC"),
    ("emulator", "pubsub", "client and server would share their bugs"),
    ("emulator", "transport", "client and server would share their bugs"),
]

# Where a third-party header may be included. Folders are relative to the source tree.
THIRD_PARTY = [
    (re.compile(r"grpc(pp)?/|grpcpp|google/protobuf/|.*\.pb\.h$"), ("src/pubsub", "src/emulator", "apps", "bench", "tests", "proto")),
    (re.compile(r"boost/(beast|asio)"), ("src/http", "src/worker", "src/emulator", "src/auth", "apps", "bench", "tests")),
    (re.compile(r"boost/json"), ("src", "apps", "bench", "fuzz", "tests")),
    (re.compile(r"sqlite3\.h|openssl/|hiredis|yaml-cpp/|CLI/|zstd|zlib|avro"), ("src", "apps", "bench", "fuzz", "tests")),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def layer_order(root):
    text = (root / "src/CMakeLists.txt").read_text()
    return re.findall(r"add_subdirectory\((\w+)\)", text)


def includes(path):
    """Yields (line number, opening character, header)."""
    text = path.read_text()
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def arrow_problem(source, target, order):
    """Why the folder `source` of src/ may not include the folder `target`, or None."""
    if target not in order:
        return f"src/{target} is not a layer of src/CMakeLists.txt"
    for one, other, why in APART:
        if {source, target} == {one, other}:
            return f"{source} and {target} never meet: {why}"
    if order.index(target) > order.index(source):
        return f"an arrow from {source} up to {target}; the order is in src/CMakeLists.txt"
    return None


def problems_in(path, root, order):
    relative = path.relative_to(root)
    folder = relative.parts[1] if relative.parts[0] == "src" and len(relative.parts) > 2 else None
    is_test = path.stem.endswith("_test")
    if folder and folder not in order:
        yield 1, f"src/{folder} is not a layer of src/CMakeLists.txt"
        return
    for line, opening, header in includes(path):
        if ".." in pathlib.PurePosixPath(header).parts:
            yield line, f"{header}: include by a path from src/ or include/, not by a relative one"
        for pattern, allowed in THIRD_PARTY:
            if pattern.match(header) and not any(relative.is_relative_to(place) for place in allowed):
                yield line, f"{header} belongs in {', '.join(allowed)} only"
        own = opening == '"' and (root / "src" / header).is_file()
        if own and relative.parts[0] == "include":
            yield line, f"{header}: a public header includes nothing of src/"
        if own and folder and not is_test:
            problem = arrow_problem(folder, header.split("/")[0], order)
            if problem:
                yield line, f"{header}: {problem}"


def check(root):
    """Returns the problems as lines, each with its file and line number."""
    order = layer_order(root)
    found, seen = [], 0
    for top in ("include", "src", "apps"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".hpp", ".cpp", ".h", ".cc"):
                seen += 1
                for line, problem in problems_in(path, root, order):
                    found.append(f"{path.relative_to(root)}:{line}: {problem}")
    if seen == 0:
        found.append(f"{root}: no sources here")
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = check(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

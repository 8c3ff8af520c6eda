#!/usr/bin/env python3
"""Builds and runs a project of somebody else's on this one.

usage: consumer.py installed BUILD_DIR [CMAKE_ARGUMENT...]   on what `cmake --install BUILD_DIR` installs
       consumer.py source SOURCE_DIR [CMAKE_ARGUMENT...]     on the source tree, with add_subdirectory
"""

import pathlib
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).parent / "project"


def run(*command):
    """Returns what the command prints; ends this test where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with status {done.returncode}:\n{done.stdout}")
    return done.stdout


def expect(text, output):
    if text not in output:
        sys.exit(f"expected {text!r} in:\n{output}")


def build(place, cmake_arguments):
    run("cmake", "-S", PROJECT, "-B", place, "-G", "Ninja", *cmake_arguments)
    run("cmake", "--build", place)


def check(place):
    expect("GCP_PROJECT", run("env", "-u", "GCP_PROJECT", place / "caller"))
    expect("consumer.greet", run(place / "unit_test"))
    manifest = run(place / "worker", "--cfd-manifest")
    expect("consumer.greet", manifest)
    expect("consumer.add", manifest)
    libraries = run("ldd", place / "worker")
    if "grpc" in libraries or "protobuf" in libraries:
        sys.exit(f"a worker that only takes pushes links gRPC:\n{libraries}")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    kind, tree, cmake_arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if kind == "installed":
            run("cmake", "--install", tree, "--prefix", folder / "prefix")
            cmake_arguments.append(f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}")
        else:
            cmake_arguments.append(f"-DCFD_SOURCE_DIR={tree}")
        build(folder / "build", cmake_arguments)
        check(folder / "build")


if __name__ == "__main__":
    main()

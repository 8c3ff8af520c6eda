#!/usr/bin/env python3
"""Builds and runs a project of somebody else's on this one.

usage: consumer.py installed BUILD_DIR [CMAKE_ARGUMENT...]   on what `cmake --install BUILD_DIR` installs
       consumer.py source SOURCE_DIR [CMAKE_ARGUMENT...]     on the source tree, with add_subdirectory
       consumer.py static SOURCE_DIR [CMAKE_ARGUMENT...]     the same, without gRPC and linked statically
"""

import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

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


def build(place, cmake_arguments, *targets):
    run("cmake", "-S", PROJECT, "-B", place, "-G", "Ninja", *cmake_arguments)
    run("cmake", "--build", place, *(("--target", *targets) if targets else ()))


def check(place):
    expect("GCP_PROJECT", run("env", "-u", "GCP_PROJECT", place / "caller"))
    expect("consumer.greet", run(place / "unit_test"))
    manifest = run(place / "worker", "--cfd-manifest")
    expect("consumer.greet", manifest)
    expect("consumer.add", manifest)
    libraries = run("ldd", place / "worker")
    if "grpc" in libraries or "protobuf" in libraries:
        sys.exit(f"a worker that only takes pushes links gRPC:\n{libraries}")


def status_of(url, data=None):
    try:
        with urllib.request.urlopen(url, data=data, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def check_static(worker, folder):
    """A worker that is one file still verifies tokens and remembers what ran."""
    if "not a dynamic executable" not in subprocess.run(["ldd", worker], capture_output=True, text=True).stderr:
        sys.exit(f"{worker} is linked dynamically")
    ready, store = folder / "ready", folder / "once.db"
    command = [worker, "--port", "0", "--ready-file", ready, "--once", f"sqlite:{store}",
               "--push-auth-email", "pusher@example.com", "--push-auth-audience", "https://worker"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 60
            while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            if not ready.exists():
                process.kill()
                sys.exit(f"the static worker did not start:\n{process.stderr.read()}")
            url = f"http://127.0.0.1:{ready.read_text().splitlines()[0]}/"
            answers = status_of(url + "healthz"), status_of(url, b'{"message":{"data":"aGVsbG8="}}')
            if answers != (200, 401):
                sys.exit(f"a health check and a push without a token were answered with {answers}")
        finally:
            process.terminate()
    if not store.exists():
        sys.exit(f"{store} was not made")


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
        if kind == "static":
            cmake_arguments += ["-DCFD_STATIC=ON", "-DCFD_WITH_GRPC=OFF"]
            build(folder / "build", cmake_arguments, "full_worker")
            check_static(folder / "build" / "full_worker", folder)
        else:
            build(folder / "build", cmake_arguments)
            check(folder / "build")


if __name__ == "__main__":
    main()

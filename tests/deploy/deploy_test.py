#!/usr/bin/env python3
"""The sample's deployment, as far as it can be seen without a cloud.

usage: deploy_test.py script|gcloud|terraform SOURCE_TREE

`script` runs deploy.sh against a gcloud of this file's own, which remembers what was made. `gcloud` has the real one parse
every command, where it is installed, and `terraform` likewise; exit status 77 says that it is not.
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77

# Remembers in $MADE, one JSON line a command, and knows of what an earlier command made.
GCLOUD = r'''#!/usr/bin/env python3
import json, os, sys
words = [w for w in sys.argv[1:] if not w.startswith("--")]
log = open(os.environ["MADE"], "a+")
log.seek(0)
earlier = [json.loads(line) for line in log]
if "describe" in words:
    at = words.index("describe")
    kind, name = words[:at], words[at + 1].split("@")[0]
    if kind == ["projects"]:
        print(12345)
    elif kind == ["run", "services"]:
        print("https://made.example")
    elif kind + ["create", name] not in [[w for w in e if not w.startswith("--")] for e in earlier]:
        sys.exit(1)
else:
    log.write(json.dumps(sys.argv[1:]) + "\n")
'''


def deploy(tree, *options, **environment):
    return subprocess.run([tree / "sample/deploy/deploy.sh", *options], capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})


def printed_commands(output):
    return [shlex.split(line) for line in output.splitlines() if line.startswith(("gcloud ", "docker "))]


def check(condition, what):
    if not condition:
        sys.exit(f"failed: {what}")


def test_script(tree):
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder, "made")
        for name, text in (("gcloud", GCLOUD), ("docker", "#!/bin/sh\n")):
            program = pathlib.Path(folder, name)
            program.write_text(text, encoding="utf-8")
            program.chmod(0o755)
        environment = {"PATH": f"{folder}:{os.environ['PATH']}", "MADE": str(made)}

        def run(*options):
            made_before = made.read_text().count("\n") if made.exists() else 0
            result = deploy(tree, *options, **environment)
            lines = made.read_text().splitlines()[made_before:] if made.exists() else []
            return result, [json.loads(line) for line in lines]

        result, commands = run("--region", "r")
        check(result.returncode == 2 and "--project is missing" in result.stderr, "a missing project is not named")
        result, commands = run("--frobnicate")
        check(result.returncode == 2 and 'unknown option "--frobnicate"' in result.stderr, "an unknown option passes")

        dry, commands = run("--project", "p", "--dry-run")
        check(dry.returncode == 0 and commands == [], "a dry run ran something")
        first, commands = run("--project", "p")
        check(first.returncode == 0, first.stderr)
        verbs = [c[1:] for c in printed_commands(dry.stdout) if c[0] == "gcloud"]
        ours = [[w.replace("https://made.example", "https://my-function.example").replace("12345", "PROJECT_NUMBER")
                 for w in c] for c in commands]
        check(ours == verbs, f"a dry run does not say what a run does:\n{ours}\n{verbs}")
        creations = [c for c in commands if "create" in c]
        check(len(creations) == 7, f"made {creations}")
        check("https://made.example" in first.stdout, "it does not say where the function runs")

        again, commands = run("--project", "p")
        check(again.returncode == 0, again.stderr)
        check(not [c for c in commands if "create" in c], f"the second run makes again: {commands}")
        check([c for c in commands if c[:3] == ["pubsub", "subscriptions", "update"]], "the subscription is not updated")


def test_gcloud(tree):
    if shutil.which("gcloud") is None:
        print("skipped: there is no gcloud here to parse the commands")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        # With no account gcloud stops at the login, with status 1; flags that it does not know end it before, with 2.
        environment = {**os.environ, "CLOUDSDK_CONFIG": folder, "DOCKER_CONFIG": folder, "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}

        def parse(command):
            return subprocess.run(command, capture_output=True, text=True, check=False, env=environment,
                                  stdin=subprocess.DEVNULL)

        wrong = parse(["gcloud", "pubsub", "topics", "create", "t", "--no-such-flag", "--project=p"])
        check(wrong.returncode == 2, f"gcloud takes a flag that there is not: {wrong.stderr}")
        commands = [c for c in printed_commands(deploy(tree, "--project", "p", "--dry-run").stdout) if c[0] == "gcloud"]
        commands.append(["gcloud", "pubsub", "subscriptions", "update",
                         *[w for w in next(c for c in commands if "--ack-deadline=600" in c)[4:] if not w.startswith("--topic=")]])
        check(len(commands) > 12, f"only {len(commands)} commands: {commands}")
        for command in commands:
            result = parse(command)
            check(result.returncode == 0 or (result.returncode == 1 and "active account" in result.stderr),
                  f"{shlex.join(command)}: status {result.returncode}\n{result.stderr}")


def test_terraform(tree):
    if shutil.which("terraform") is None:
        print("skipped: there is no terraform here")
        sys.exit(SKIPPED)
    result = subprocess.run(["terraform", "fmt", "-check", "-diff", tree / "sample/deploy"], capture_output=True, text=True,
                            check=False)
    check(result.returncode == 0, result.stdout + result.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    {"script": test_script, "gcloud": test_gcloud, "terraform": test_terraform}[sys.argv[1]](pathlib.Path(sys.argv[2]))

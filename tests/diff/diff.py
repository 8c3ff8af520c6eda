"""`cfd diff` between two versions of one program: usage: diff.py OLD NEW CFD."""

import json
import subprocess
import sys
import tempfile
import unittest

OLD, NEW, CFD = sys.argv[1:4]


def diff(caller, worker, *flags):
    return subprocess.run([CFD, "diff", *flags, caller, worker], capture_output=True, text=True, timeout=60)


class Diff(unittest.TestCase):
    def test_equals_differ_in_nothing(self):
        same = diff(OLD, OLD)
        self.assertEqual((same.returncode, same.stdout), (0, "2 function(s) compared: 0 error(s), 0 warning(s)\n"))

    def test_an_older_caller_before_the_deploy_of_a_newer_worker(self):
        newer = diff(OLD, NEW)
        self.assertEqual(newer.returncode, 1)
        self.assertEqual(newer.stdout, "error: v.changed: argument 1: int32 is sent where string is expected\n"
                                       "2 function(s) compared: 1 error(s), 0 warning(s)\n")

    def test_a_newer_caller_as_json(self):
        older = json.loads(diff(NEW, OLD, "--json").stdout)
        self.assertEqual(older["functions"], 2)
        self.assertEqual({(f["severity"], f["function"]) for f in older["findings"]},
                         {("error", "v.changed"), ("warning", "v.place"), ("note", "v.place")})

    def test_a_manifest_in_a_file(self):
        manifest = subprocess.run([NEW, "--cfd-manifest"], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(json.loads(manifest.stdout)["cfd_manifest"], 1)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(manifest.stdout)
            file.flush()
            self.assertEqual(diff(NEW, file.name).returncode, 0)

    def test_what_is_no_manifest(self):
        missing = diff("/nonexistent", OLD)
        self.assertEqual((missing.returncode, missing.stderr), (2, "cfd: /nonexistent: No such file or directory\n"))
        other = diff("/bin/true", OLD)
        self.assertEqual(other.returncode, 2)
        self.assertIn("/bin/true printed no manifest", other.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

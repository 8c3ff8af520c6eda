#!/usr/bin/env python3
"""The check of the layers finds what it is there to find."""

import pathlib
import tempfile
import unittest

import layers

ORDER = "\n".join(f"add_subdirectory({name})" for name in ("log", "codec", "transport", "http", "pubsub", "emulator"))


class LayersTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("src/CMakeLists.txt", ORDER)
        for name in ("log", "codec", "transport", "http", "pubsub"):
            self.write(f"src/{name}/{name}.hpp", "#include <string>\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def assert_problem(self, expected):
        found = layers.check(self.root)
        self.assertEqual(len(found), 1, found)
        self.assertIn(expected, found[0])

    def test_arrow_down_is_fine(self):
        self.write("src/codec/a.cpp", '#include "log/log.hpp"\n#include "codec/codec.hpp"\n')
        self.assertEqual(layers.check(self.root), [])

    def test_arrow_up(self):
        self.write("src/log/a.cpp", '#include <string>\n\n#include "codec/codec.hpp"\n')
        self.assert_problem("src/log/a.cpp:3: codec/codec.hpp: an arrow from log up to codec")

    def test_unit_test_may_reach_up(self):
        self.write("src/log/a_test.cpp", '#include "codec/codec.hpp"\n')
        self.assertEqual(layers.check(self.root), [])

    def test_folders_that_never_meet(self):
        self.write("src/pubsub/a.cpp", '#include "http/http.hpp"\n')
        self.assert_problem("pubsub and http never meet")

    def test_public_header_with_grpc(self):
        self.write("include/cfd/a.hpp", "#include <grpcpp/grpcpp.h>\n")
        self.assert_problem("include/cfd/a.hpp:1: grpcpp/grpcpp.h belongs in")

    def test_public_header_with_json(self):
        self.write("include/cfd/a.hpp", "#include <boost/json.hpp>\n")
        self.assert_problem("boost/json.hpp belongs in")

    def test_public_header_reaches_into_src(self):
        self.write("include/cfd/a.hpp", '#include "log/log.hpp"\n')
        self.assert_problem("a public header includes nothing of src/")

    def test_relative_include(self):
        self.write("src/codec/a.cpp", '#include "../log/log.hpp"\n')
        self.assert_problem("not by a relative one")

    def test_folder_that_is_no_layer(self):
        self.write("src/extra/a.cpp", "")
        self.assert_problem("src/extra is not a layer")

    def test_empty_tree_is_a_problem(self):
        with tempfile.TemporaryDirectory() as empty:
            pathlib.Path(empty, "src").mkdir()
            pathlib.Path(empty, "src/CMakeLists.txt").write_text(ORDER)
            self.assertEqual(len(layers.check(pathlib.Path(empty))), 1)


if __name__ == "__main__":
    unittest.main()

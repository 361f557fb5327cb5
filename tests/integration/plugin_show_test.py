"""`sizewise plugin show` of a model, with the worker that LibTorch is linked to."""
import json
import unittest

import harness


class PluginShow(harness.Folder):
    def show(self, *arguments):
        return json.loads(self.sizewise("plugin", "show", *arguments, "--json").stdout)

    def data(self):
        return ["--dataset", "text", "--dataset-option", f"path={self.text}"]

    def test_counts_the_parameters_of_sizes(self):
        shown = self.show("gpt", "--sizes", "16,64", *self.data())
        sizes = {entry["size"]: entry["params"] for entry in shown["sizes"]}
        self.assertEqual(set(sizes), {16, 64})
        # 12 width^2 a block and the tied table of 256 bytes; positions, biases and norms on top.
        for width, params in sizes.items():
            floor = 3 * 12 * width * width + 256 * width
            self.assertTrue(floor < params < floor + 200 * width, f"{width}: {params}")

    def test_finds_the_sizes_of_parameter_counts(self):
        shown = self.show("gpt", "--params", "1e5,1e6", *self.data())
        for entry, asked in zip(shown["sizes"], (1e5, 1e6)):
            self.assertEqual(entry["asked_params"], asked)
            self.assertTrue(0.5 < entry["params"] / asked < 2, entry)

    def test_reads_the_models_own_options(self):
        one = self.show("gpt", "--sizes", "64", *self.data(), "--model-option", "layers=1")
        two = self.show("gpt", "--sizes", "64", *self.data(), "--model-option", "layers=2")
        self.assertGreater(two["sizes"][0]["params"], one["sizes"][0]["params"])

    def test_warns_that_a_size_is_no_option(self):
        done = self.sizewise("plugin", "show", "gpt", "--sizes", "64", *self.data(), "--model-option", "width=32")
        self.assertIn("warning: 'width' is the size of plugin 'gpt'", done.stderr)

    def test_says_that_a_model_needs_its_data(self):
        self.refused("plugin", "show", "gpt", "--sizes", "64", parts=["gpt", "--dataset ID"])

    def test_refuses_a_size_that_is_not_allowed(self):
        self.refused("plugin", "show", "gpt", "--sizes", "65", *self.data(), parts=["65", "a multiple of 8", "64"])
        self.refused("plugin", "show", "approach3", "--sizes", "8", parts=["fit plugin", "no sizes"])


if __name__ == "__main__":
    unittest.main()

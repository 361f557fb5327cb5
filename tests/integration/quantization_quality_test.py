"""What quantizing costs on real data: a cnn on MNIST, a gpt on tiny Shakespeare."""
import json
import os
import pathlib
import struct
import unittest

import harness

DATA = pathlib.Path(os.environ.get("SIZEWISE_REFERENCE_DATA",
                                   harness.HERE.parent.parent.parent / "shared" / "data"))


class OnRealData(harness.Folder):
    """Trains a model, and skips where its data are absent."""

    TRAINING = []
    NEEDED = []

    def setUp(self):
        super().setUp()
        absent = [path for path in self.NEEDED if not path.exists()]
        if absent and os.environ.get("CI") != "true":
            self.skipTest(f"{absent[0]} is absent; SIZEWISE_REFERENCE_DATA names its folder")
        self.assertEqual(absent, [], "SIZEWISE_REFERENCE_DATA names the folder of the data")
        self.model = self.folder / "model"
        self.sizewise("train", *self.TRAINING, "--loss", "cross_entropy", "--output", self.model, timeout=500)

    def quantized(self, name, quantizer, *options):
        words = [word for option in options for word in ("--quantizer-option", option)]
        done = self.sizewise("quantize", self.model, "--quantizer", quantizer, *words, "--output", self.folder / name,
                             "--json", timeout=500)
        evaluation = json.loads(done.stdout)["evaluation"]
        return evaluation["float"], evaluation["quantized"]


class Cnn(OnRealData):
    NEEDED = [DATA / "mnist" / "t10k-images-idx3-ubyte.gz", DATA / "mnist" / "t10k-labels-idx1-ubyte.gz"]
    TRAINING = ["--model", "cnn", "--size", 8, "--dataset", "idx_images", "--dataset-option", f"images={NEEDED[0]}",
                "--dataset-option", f"labels={NEEDED[1]}", "--dataset-option", "validation_fraction=0.2",
                "--tokens", 24000, "--learning-rate", "3e-3", "--schedule", "cosine"]

    def outliers(self):
        """Images of one bright pixel each: many deviations from the mean, where training images have three."""
        rows = 2000
        pixels = bytearray(rows * 28 * 28)
        for row in range(rows):
            pixels[row * 28 * 28 + row * 37 % (28 * 28)] = 255
        (self.folder / "images").write_bytes(struct.pack(">IIII", 0x803, rows, 28, 28) + pixels)
        (self.folder / "labels").write_bytes(struct.pack(">II", 0x801, rows) + bytes(row % 10 for row in range(rows)))
        return ["--dataset", "idx_images", "--dataset-option", f"images={self.folder / 'images'}", "--dataset-option",
                f"labels={self.folder / 'labels'}"]

    def loss(self, name, *data):
        return json.loads(self.sizewise("evaluate", self.folder / name, *data, "--json", timeout=500).stdout)["loss"]

    def test_static_int8_costs_at_most_0_3_points_and_its_ranges_are_the_files(self):
        exact, quantized = self.quantized("static", "static")
        self.assertGreater(exact["accuracy"], 0.93)
        self.assertLessEqual(exact["accuracy"] - quantized["accuracy"], 0.003)
        self.assertNotEqual(exact["loss"], quantized["loss"])
        self.assertEqual(self.loss("static"), quantized["loss"])
        # Inputs beyond the ranges saturate; those that are coded as they come do not.
        self.quantized("dynamic", "dynamic")
        data = self.outliers()
        far = self.loss("model", *data)
        self.assertGreater(abs(self.loss("static", *data) - far), 0.02)
        self.assertLess(abs(self.loss("dynamic", *data) - far), 0.02)


class Gpt(OnRealData):
    NEEDED = [DATA / "text" / "tinyshakespeare.txt"]
    TRAINING = ["--model", "gpt", "--size", 64, "--model-option", "layers=2", "--dataset", "text", "--dataset-option",
                f"path={NEEDED[0]}", "--dataset-option", "context=64", "--dataset-option", "validation_fraction=0.05",
                "--tokens", 512000, "--batch-size", 16, "--learning-rate", "3e-3", "--schedule", "cosine"]

    def test_loss_rises_by_a_hundredth_of_a_nat_in_8_bits_and_a_twentieth_in_4(self):
        exact, dynamic = self.quantized("dynamic", "dynamic")
        self.assertLess(exact["loss"], 2.7)
        self.assertLessEqual(dynamic["loss"] - exact["loss"], 0.01)
        self.assertNotEqual(dynamic["loss"], exact["loss"])
        _, four_bits = self.quantized("four", "per_channel", "bits=4", "granularity=group", "group_size=32")
        self.assertLessEqual(four_bits["loss"] - exact["loss"], 0.05)
        _, four_dynamic = self.quantized("four_dynamic", "dynamic", "bits=4", "granularity=group", "group_size=32")
        self.assertLessEqual(four_dynamic["loss"] - exact["loss"], 0.05)


if __name__ == "__main__":
    harness.main()

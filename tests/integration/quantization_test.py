"""Quantizing with the real worker: small models that are trained here, and everything that can be wrong with them."""
import json
import math
import random
import shutil
import struct

import harness

FILES = {"model.safetensors", "config.json", "model.json"}
CORPUS = harness.HERE.parent / "fuzz" / "corpus"


def safetensors(path, tensors):
    """Writes float32 tensors: {name: (shape, values)}."""
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        part = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def numbers(path):
    """The numbers of a file's tensors of float32 and int8 by name, each as one list."""
    whole = path.read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    letters, read = {"F32": "f", "I8": "b"}, {}
    for name, entry in json.loads(whole[8:8 + length]).items():
        if name != "__metadata__" and entry["dtype"] in letters:
            begin, end = entry["data_offsets"]
            letter = letters[entry["dtype"]]
            read[name] = struct.unpack(f"<{(end - begin) // struct.calcsize(letter)}{letter}",
                                       whole[8 + length + begin:8 + length + end])
    return read


class Real(harness.Folder):
    def setUp(self):
        super().setUp()
        self.environment.pop("SIZEWISE_WORKER", None)
        self.chance = random.Random(1)
        self.model, self.output = self.folder / "model", self.folder / "q"

    def images(self):
        """Noise with a bright row, whose place is the label: a small mlp learns it."""
        rows, pixels, labels = 600, bytearray(), bytearray()
        for _ in range(rows):
            label = self.chance.randrange(10)
            image = bytearray(self.chance.randrange(60) for _ in range(20 * 20))
            image[label * 40:label * 40 + 20] = bytes([200 + self.chance.randrange(56) for _ in range(20)])
            pixels += image
            labels.append(label)
        (self.folder / "images").write_bytes(struct.pack(">IIII", 0x803, rows, 20, 20) + pixels)
        (self.folder / "labels").write_bytes(struct.pack(">II", 0x801, rows) + labels)
        return ["--dataset", "idx_images", "--dataset-option", f"images={self.folder / 'images'}",
                "--dataset-option", f"labels={self.folder / 'labels'}"]

    def characters(self):
        self.text.write_bytes(bytes(self.chance.choices(b"abcdefgh \n", k=20000)))
        return ["--dataset", "text", "--dataset-option", f"path={self.text}", "--dataset-option", "context=16"]

    def train(self, *words, output=None):
        self.sizewise("train", *words, "--loss", "cross_entropy", "--batch-size", 8, "--threads", 1,
                      "--output", output or self.model)

    def train_mlp(self, size=64, output=None):
        self.train("--model", "mlp", "--size", size, *self.images(), "--tokens", 4800, output=output)

    def train_gpt(self, size=64, output=None):
        self.train("--model", "gpt", "--size", size, "--model-option", "layers=2", *self.characters(),
                   "--tokens", 64000, output=output)

    def words(self, quantizer, *more, source=None):
        return ["quantize", source or self.model, "--quantizer", quantizer, "--output", self.output,
                "--threads", 1, *more]

    def quantize(self, quantizer, *more, source=None, code=0):
        return json.loads(self.sizewise(*self.words(quantizer, *more, source=source), "--json", code=code).stdout)

    def evaluate(self, folder, *more):
        return json.loads(self.sizewise("evaluate", folder, "--threads", 1, "--json", *more).stdout)

    def fails(self, *arguments, parts, code=2):
        """Refused in one message (code 2), or told in a result (code 1), with what to do; nothing is written."""
        before = sorted(self.output.rglob("*")) if self.output.exists() else None
        done = self.sizewise(*arguments, code=code)
        text = " ".join((done.stdout + done.stderr).split())
        for part in parts:
            self.assertIn(part, text)
        for leak in ("json.exception", "Traceback", "terminate called", "Exception raised from", "SIG"):
            self.assertNotIn(leak, text)
        self.assertEqual(sorted(self.output.rglob("*")) if self.output.exists() else None, before)

    def check_bytes(self, answer, source):
        """Sizes and their ratio are those of the files, within 1 %."""
        before, after = source.stat().st_size, (self.output / "model.safetensors").stat().st_size
        for name, expected in (("float", before), ("quantized", after), ("ratio", before / after)):
            self.assertAlmostEqual(answer["bytes"][name], expected, delta=0.01 * expected, msg=name)

    def check(self, answer):
        """What holds of every success."""
        self.assertTrue(answer["success"], answer["errors"])
        self.assertEqual(answer["errors"], [])
        self.assertTrue(answer["layers"])
        self.assertEqual({path.name for path in self.output.iterdir()}, FILES)
        self.check_bytes(answer, self.model / "model.safetensors")
        self.assertIn("quantization_config", json.loads((self.output / "config.json").read_text()))
        for layer in answer["layers"]:
            self.assertTrue(layer["name"] and layer["kernel"], layer)
            self.assertGreater(layer["sqnr_db"], 35 if layer["bits"] == 8 else 12, layer)
        for layer in answer["skipped"]:
            self.assertTrue(layer["name"] and layer["reason"], layer)


class Quantizes(Real):
    def test_gpt_dynamic(self):
        self.train_gpt()
        before = {path.name: path.read_bytes() for path in self.model.iterdir()}
        answer = self.quantize("dynamic")
        self.check(answer)
        self.assertEqual({path.name: path.read_bytes() for path in self.model.iterdir()}, before)
        self.assertEqual(answer["calibration"], None)
        linear = [layer for layer in answer["layers"] if layer["kind"] == "linear"]
        self.assertGreaterEqual(len(linear), 2 * 4, "attention and mlp of two blocks")
        self.assertEqual({(layer["bits"], layer["activation"], layer["granularity"]) for layer in linear},
                         {(8, "dynamic", "channel")})
        measured = answer["evaluation"]
        self.assertLess(abs(measured["quantized"]["loss"] - measured["float"]["loss"]), 0.01)
        self.assertNotEqual(measured["quantized"]["loss"], measured["float"]["loss"])
        self.assertEqual(measured["float"]["loss"], self.evaluate(self.model)["loss"])

    def test_a_fresh_process_measures_the_same_bits(self):
        self.train_gpt()
        answer = self.quantize("dynamic")
        again = self.evaluate(self.output)
        self.assertEqual(again["loss"], answer["evaluation"]["quantized"]["loss"])
        self.assertEqual(again["bytes"], (self.output / "model.safetensors").stat().st_size)
        beside = again["float"]
        alone = self.evaluate(self.model)
        self.assertEqual((beside["loss"], beside["bytes"]), (alone["loss"], alone["bytes"]))
        self.assertEqual(beside["loss"], answer["evaluation"]["float"]["loss"])
        self.assertLess(again["bytes"], beside["bytes"])
        text = self.sizewise("evaluate", self.output).stdout
        self.assertRegex(text, r"float +quantized\nloss +\d")
        shutil.rmtree(self.model)
        done = self.sizewise("evaluate", self.output, "--json")
        self.assertIsNone(json.loads(done.stdout)["float"])
        self.assertIn("the float model is not in", done.stderr)

    def test_mlp_static(self):
        self.train_mlp()
        answer = self.quantize("static", "--calibration-batches", 4, "--batch-size", 8,
                               "--quantizer-option", "observer=percentile")
        self.check(answer)
        self.assertEqual((answer["calibration"]["batches"], answer["calibration"]["units"]), (4, 32))
        self.assertEqual(answer["calibration"]["observer"], "percentile")
        self.assertEqual({layer["activation"] for layer in answer["layers"]}, {"static"})
        measured = answer["evaluation"]
        self.assertGreater(measured["float"]["accuracy"], 0.8, "it has learned something")
        self.assertLessEqual(measured["float"]["accuracy"] - measured["quantized"]["accuracy"], 0.003)
        self.assertEqual(self.evaluate(self.output)["loss"], measured["quantized"]["loss"])

    def test_ranges_of_mlp_static_follow_from_the_observer(self):
        self.train_mlp()
        scales = {}
        for observer in ("minmax", "moving_average", "percentile", "mse", "entropy"):
            self.output = self.folder / observer
            answer = self.quantize("static", "--quantizer-option", f"observer={observer}")
            self.check(answer)
            self.assertEqual(answer["calibration"]["observer"], observer)
            config = json.loads((self.output / "config.json").read_text())
            scales[observer] = tuple(weight["activation_scale"] for weight in config["sizewise"]["weights"])
        # Where no value is far from the others, least error may be what minmax has.
        self.assertGreaterEqual(len(set(scales.values())), 4, scales)

    def test_gpt_per_channel_in_four_bits_of_groups(self):
        self.train_gpt()
        answer = self.quantize("per_channel", "--quantizer-option", "bits=4", "--quantizer-option",
                               "granularity=group", "--quantizer-option", "group_size=32",
                               "--quantizer-option", "clip=true")
        self.check(answer)
        self.assertEqual({(layer["bits"], layer["activation"]) for layer in answer["layers"]}, {(4, "none")})
        self.assertIn((4, "group", 32), {(layer["bits"], layer["granularity"], layer["group_size"])
                                         for layer in answer["layers"]})
        measured = answer["evaluation"]
        self.assertLessEqual(measured["quantized"]["loss"] - measured["float"]["loss"], 0.05)
        self.assertNotEqual(measured["quantized"]["loss"], measured["float"]["loss"])
        self.assertGreater(answer["bytes"]["ratio"], 2)

    def test_four_bits_are_smaller_than_eight_and_eight_than_sixteen(self):
        self.train_mlp(size=256)
        sizes = []
        for bits in (4, 8, 16):
            self.output = self.folder / str(bits)
            sizes.append(self.quantize("per_channel", "--quantizer-option", f"bits={bits}",
                                       "--no-evaluation")["bytes"]["quantized"])
        self.assertEqual(sizes, sorted(set(sizes)))
        self.assertGreater(self.evaluate(self.model)["bytes"] / sizes[0], 5)

    def test_layers_are_chosen_by_name(self):
        self.train_mlp()
        every = [layer["name"] for layer in self.quantize("dynamic", "--no-evaluation")["layers"]]
        self.assertGreater(len(every), 1)
        self.output = self.folder / "one"
        one = self.quantize("dynamic", "--include", every[0], "--no-evaluation")
        self.assertEqual([layer["name"] for layer in one["layers"]], every[:1])
        self.output = self.folder / "others"
        others = self.quantize("dynamic", "--include", "*", "--exclude", every[0])
        self.assertEqual([layer["name"] for layer in others["layers"]], every[1:])
        self.assertIn(every[0], [layer["name"] for layer in others["skipped"]])
        self.assertEqual(self.evaluate(self.output)["loss"], others["evaluation"]["quantized"]["loss"])

    def test_weights_alone(self):
        self.train_gpt()
        answer = self.quantize("per_channel", source=self.model / "model.safetensors")
        self.assertTrue(answer["success"], answer["errors"])
        self.assertEqual((answer["calibration"], answer["evaluation"]), (None, None))
        self.assertTrue(answer["layers"])
        self.assertEqual({path.name for path in self.output.iterdir()}, FILES - {"model.json"})
        self.assertGreater(answer["bytes"]["ratio"], 2)
        self.check_bytes(answer, self.model / "model.safetensors")

    def test_a_state_dict_of_torch_save(self):
        source = CORPUS / "weight_file" / "linear.pt"  # weight 1.5, -2 and bias 0.25
        answer = self.quantize("per_channel", "--include", "*", source=source)
        self.assertTrue(answer["success"], answer["errors"])
        self.check_bytes(answer, source)
        tensors = numbers(self.output / "model.safetensors")
        self.assertEqual((tensors["weight"], tensors["bias"]), ((95, -127), (0.25,)))
        self.assertAlmostEqual(tensors["weight_scale"][0], 2 / 127, delta=1e-8)

    def test_the_reported_ratio_of_signal_to_noise_is_that_of_the_files(self):
        self.train_mlp()
        answer = self.quantize("dynamic", "--no-evaluation")
        exact, coded = (numbers(folder / "model.safetensors") for folder in (self.model, self.output))
        for layer in answer["layers"]:
            weights, codes = exact[layer["name"] + ".weight"], coded[layer["name"] + ".weight"]
            scales = coded[layer["name"] + ".weight_scale"]
            columns = len(codes) // len(scales)
            noise = sum((weight - codes[i] * scales[i // columns]) ** 2 for i, weight in enumerate(weights))
            signal = sum(weight * weight for weight in weights)
            self.assertAlmostEqual(layer["sqnr_db"], 10 * math.log10(signal / noise), delta=0.01, msg=layer["name"])

    def test_people_read_a_table_within_80_columns(self):
        self.train_gpt()
        done = self.sizewise(*self.words("dynamic"))
        self.assertIn("SQNR dB", done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)


class Ships(harness.Scripted):
    # Least loss at a small size on few tokens, which the real worker trains in a second.
    LAW = {"E": 1.5, "A": 40.0, "B": 90.0, "alpha": 0.5, "beta": 0.3}

    def test_the_recommended_model_with_the_real_worker(self):
        """Trials follow a script, so that there is a law; the model of its optimum is a real one."""
        scripted = self.environment.pop("SIZEWISE_WORKER")
        words = ["--model", "gpt", "--model-option", "layers=1", "--dataset", "text", "--dataset-option",
                 f"path={self.text}", "--loss", "cross_entropy"]
        self.sizewise("train", *words, "--size", 8, "--tokens", 5120, "--output", self.folder / "any")
        data = json.loads((self.folder / "any" / "model.json").read_text())["dataset"]
        self.script(dataset=data["info"], fingerprint=data["fingerprint"])
        self.environment["SIZEWISE_WORKER"] = scripted
        self.find_optimal(budgets="5e7,2e8,8e8", **{"model-option": "layers=1", "target-budget": "4e8"})
        del self.environment["SIZEWISE_WORKER"]
        answer = json.loads(self.sizewise("run", self.run_dir, "--accept-changes", "--quantizer", "dynamic",
                                          "--threads", 1, "--json").stdout)
        quantization, measured = answer["quantization"], answer["quantization"]["evaluation"]
        self.assertTrue(quantization["success"] and quantization["layers"], quantization)
        self.assertEqual(answer["model"]["size"], answer["recommendation"]["size"])
        for folder, side in ((self.run_dir / "model", "float"), (self.run_dir / "quantized", "quantized")):
            again = json.loads(self.sizewise("evaluate", folder, "--threads", 1, "--json").stdout)
            self.assertEqual(again["loss"], measured[side]["loss"])
        self.assertNotEqual(measured["quantized"]["loss"], measured["float"]["loss"])


class BadInput(Real):
    def test_static_of_weights_alone_has_nothing_to_calibrate_on(self):
        self.train_mlp()
        self.fails(*self.words("static", source=self.model / "model.safetensors"),
                   parts=["quantizer 'static' needs calibration data", "use per_channel or dynamic"])

    def test_zero_batches(self):
        self.train_mlp()
        self.fails(*self.words("static", "--calibration-batches", 0),
                   parts=["--calibration-batches is '0'; allowed: an integer, at least 1"])

    def test_bits_that_there_are_not(self):
        self.train_mlp()
        self.fails(*self.words("dynamic", "--quantizer-option", "bits=3"), parts=["'bits'", "is 3", "one of 8, 4"])
        self.fails(*self.words("dynamic", "--quantizer-option", "bits=5"), parts=["'bits'", "is 5", "one of 8, 4"])
        self.fails("find-optimal", "--model", "mlp", *self.images(), "--loss", "cross_entropy", "--budgets", "1e8,2e8,4e8",
                   "--run-dir", self.run_dir, "--quantizer", "dynamic", "--quantizer-option", "bits=5",
                   parts=["'bits'", "is 5", "one of 8, 4"])
        self.assertFalse(self.run_dir.exists())

    def test_a_group_size_that_does_not_divide(self):
        self.train_mlp()
        words = ["--quantizer-option", "granularity=group", "--quantizer-option"]
        self.fails(*self.words("per_channel", *words, "group_size=48"),
                   parts=["400 inputs, which group_size 48 does not divide", "group_size 16"], code=1)
        self.fails(*self.words("per_channel", *words, "group_size=1024"),
                   parts=["inputs, fewer than group_size 1024", "use group_size"], code=1)
        answer = self.quantize("per_channel", *words, "group_size=48", code=1)
        self.assertEqual((answer["success"], answer["errors"][0]["code"]), (False, "quantization"))
        self.assertFalse(self.output.exists())

    def test_a_checkpoint_of_another_size(self):
        self.train_mlp()
        facts = json.loads((self.model / "model.json").read_text())
        facts["size"] = 32
        (self.model / "model.json").write_text(json.dumps(facts))
        self.fails(*self.words("dynamic"), parts=["model.safetensors", "and the model's is"])

    def test_an_output_that_is_taken(self):
        self.train_mlp()
        self.quantize("dynamic", "--no-evaluation")
        self.fails(*self.words("dynamic"), parts=["q holds a model already"])
        self.fails("train", "--model", "mlp", "--size", 64, *self.images(), "--loss", "cross_entropy", "--tokens", 480,
                   "--output", self.output, parts=["q holds a model already"])
        self.fails("quantize", self.output, "--quantizer", "dynamic", "--output", self.folder / "again",
                   parts=["q is quantized already; give the float model"])

    def test_a_model_without_a_layer_to_quantize(self):
        self.train_mlp()
        self.fails(*self.words("dynamic", "--exclude", "*"),
                   parts=["no layer can be quantized; 'hidden0': the exclude pattern * names it"])

    def test_files_that_are_cut_or_changed(self):
        self.train_mlp()
        weights = self.model / "model.safetensors"
        whole = weights.read_bytes()
        for change in (b"", whole[:7], whole[:200], whole[:-1], whole + b"x", whole[:-4] + b"\0\0\0\1"):
            weights.write_bytes(change)
            self.fails(*self.words("dynamic"), parts=["model.safetensors"])
        alone = self.folder / "alone.safetensors"
        for change in (b"", whole[:7], whole[:200], whole[:-1], b"\xff" * 8 + whole[8:], b"PK\3\4" + whole[4:]):
            alone.write_bytes(change)
            self.fails(*self.words("per_channel", source=alone), parts=["alone.safetensors"])

    def test_quantized_files_that_are_cut_or_forged(self):
        self.train_mlp()
        self.quantize("dynamic", "--no-evaluation")
        for name in sorted(FILES):
            file = self.output / name
            whole = file.read_bytes()
            for change in (b"", whole[:20], whole[:-3]):
                file.write_bytes(change)
                self.refused("evaluate", self.output, parts=[f"{self.output}"])
            file.write_bytes(whole)
        self.evaluate(self.output)

    def test_a_wrong_model(self):
        self.train_mlp()
        self.fails(*self.words("dynamic", "--model", "gpt"), parts=["mlp", "gpt"])

    def test_quantized_weights_of_another_model(self):
        self.train_mlp()
        other = self.folder / "other"
        self.train_mlp(size=32, output=other)
        self.quantize("dynamic", "--no-evaluation")
        stolen = self.folder / "stolen"
        self.sizewise("quantize", other, "--quantizer", "dynamic", "--output", stolen, "--no-evaluation")
        facts, own = (json.loads((folder / "model.json").read_text()) for folder in (self.output, stolen))
        facts["size"] = own["size"]
        (self.output / "model.json").write_text(json.dumps(facts))
        self.refused("evaluate", self.output, parts=["hidden0.weight", "[64, 400]", "[32, 400]"])

    def test_calibration_data_of_another_shape(self):
        self.train_mlp()
        self.fails(*self.words("static", *self.characters()), parts=["input_shape", "same kind"])

    def test_weights_that_are_not_finite(self):
        weights = self.folder / "bad.safetensors"
        values = [self.chance.gauss(0, 1) for _ in range(64 * 64)]
        values[77] = math.nan
        safetensors(weights, {"fc1.weight": ([64, 64], values), "fc2.weight": ([64, 64], values[:77] * 53 + [0.0] * 15)})
        self.fails(*self.words("per_channel", source=weights), parts=["fc1", "not finite"], code=1)

    def test_weights_without_a_matrix(self):
        weights = self.folder / "flat.safetensors"
        safetensors(weights, {"norm.weight": ([64], [1.0] * 64)})
        self.fails(*self.words("per_channel", source=weights),
                   parts=["flat.safetensors: no layer can be quantized: it has no floating-point tensor"])


if __name__ == "__main__":
    harness.main()

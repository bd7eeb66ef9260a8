"""Opens .keras files with Keras and compares their predictions with the fixtures'.

    KERAS_BACKEND=torch python check_saved.py FIXTURES [FOLDER]

FIXTURES is test/fixtures. FOLDER holds `KIND/NAME….keras`: models of the fixture KIND/NAME as this package saved them, with whatever
follows the name behind a dot. Without FOLDER the fixtures' own files are checked, which shows that the stand-ins for keras-hub are right.
FOLDER may hold `built/NAME.keras` beside `built/NAME.json`: {"inputs": {name: {dtype, shape, values}}, "outputs": [{shape, values}, …]}.
Prints a line a model, and exits with 1 when one differs.
"""
import json, os, sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
import numpy as np
import keras
from keras import ops
from safetensors.numpy import load_file

try:
    import keras_hub  # noqa: F401
except ImportError:
    import keras_hub_layers  # noqa: F401


@keras.saving.register_keras_serializable("my_package")
class ScaledTanh(keras.layers.Layer):
    """The user's layer of the fixture custom_layer."""
    def __init__(self, amplitude=1.0, **kwargs):
        super().__init__(**kwargs)
        self.amplitude = amplitude

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, x):
        return ops.tanh(x * self.scale) * self.amplitude

    def get_config(self):
        return {**super().get_config(), "amplitude": self.amplitude}


def predict(model, inputs):
    """Outputs by name, as in the fixtures."""
    structure = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    x = inputs if isinstance(structure, dict) else [inputs[t.name] for t in model.inputs]
    x = x[0] if isinstance(x, list) and len(x) == 1 else x
    out = model(keras.tree.map_structure(ops.convert_to_tensor, x), training=False)
    host = lambda v: np.asarray(v.detach().float() if hasattr(v, "detach") and v.is_floating_point() else v.detach() if hasattr(v, "detach") else v)
    if isinstance(out, dict):
        return {n: host(v) for n, v in out.items()}
    return {f"output_{i}": host(v) for i, v in enumerate(out if isinstance(out, (list, tuple)) else [out])}


def worst(got, want, atol, rtol):
    if got.shape != want.shape:
        return f"shape {got.shape} instead of {want.shape}"
    off = np.abs(got.astype(np.float64) - want) - rtol * np.abs(want)
    return None if off.size == 0 or np.nanmax(off) <= atol and not np.isnan(off).any() else f"off by {np.abs(got - want).max():.2g} (atol {atol})"


def differences(case, arrays, model):
    tensors = case["tensors"]
    inputs = {t["name"]: arrays[tensors[t["name"]]["key"]] for t in case["parameters"]["inputs"]}
    got, rough = predict(model, inputs), "16" in case["parameters"].get("policy", "")
    wanted = [n[len("expected/"):] for n in tensors if n.startswith("expected/")]
    if set(got) != set(wanted):  # a format without names of outputs
        got = dict(zip(wanted, got.values()))
    for n in wanted:
        key = f"expected/{n}"
        want, t = arrays[tensors[key]["key"]], case["tolerance"].get(key, {"atol": 0, "rtol": 0})
        t = {"atol": 0.05, "rtol": 0.1} if rough else t
        value = np.broadcast_to(got[n], want.shape) if got[n].shape == want.shape else got[n]
        if key in case.get("compare", {}):
            live = arrays[tensors[case["compare"][key]]["key"]]
            value, want = value[live], want[live]
        problem = worst(value, want, **t)
        if problem:
            yield f"{n} {problem}"


def check_built(path):
    record = json.loads(path.with_suffix(".json").read_text())
    inputs = {n: np.array(v["values"], v["dtype"]).reshape(v["shape"]) for n, v in record["inputs"].items()}
    got = list(predict(keras.saving.load_model(path), inputs).values())
    if len(got) != len(record["outputs"]):
        return [f"{len(got)} outputs instead of {len(record['outputs'])}"]
    pairs = [(g, np.array(w["values"], np.float64).reshape(w["shape"])) for g, w in zip(got, record["outputs"])]
    return [p for p in (worst(g, w, 2e-5 * max(1, np.abs(w).max()), 1e-4) for g, w in pairs) if p]


def main():
    fixtures, folder = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    counts = {"equal": 0, "different": 0}

    def report(label, problems):
        counts["different" if problems else "equal"] += 1
        print(f"{label}: {'; '.join(problems) if problems else 'equal'}")

    for kind in ("keras_models", "keras_models_more"):
        manifest = json.loads((fixtures / kind / "cases.json").read_text())
        arrays = load_file(fixtures / kind / manifest["file"])
        for case in manifest["cases"]:
            own = [case["parameters"]["files"].get(how) for how in ("keras", "deflated")]
            files = sorted((folder / kind).glob(case["name"] + ".*")) if folder else [fixtures / kind / f for f in own if f]
            for file in [] if "refused" in case["parameters"] else files:
                keras.backend.clear_session()
                try:
                    report(f"{kind}/{file.name}", list(differences(case, arrays, keras.saving.load_model(file))))
                except Exception as error:
                    report(f"{kind}/{file.name}", [f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"])
    for file in sorted((folder / "built").glob("*.keras")) if folder else []:
        try:
            report(f"built/{file.name}", check_built(file))
        except Exception as error:
            report(f"built/{file.name}", [f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"])
    print(f"{counts['equal']} equal, {counts['different']} different")
    sys.exit(1 if counts["different"] else 0)


if __name__ == "__main__":
    main()

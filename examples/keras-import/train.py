"""Trains the model that main.ts takes up, and writes names.keras. Needs keras 3 with any backend; a minute on a CPU.

    python examples/keras-import/train.py

It tells women's first names from men's by their letters: attention over the letters, the padding masked. Nothing here is made
for JavaScript; it is a functional model of Keras as it comes.
"""
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import numpy as np
from keras import layers, ops

here = Path(__file__).resolve().parent
data = here.parent.parent / "node_modules" / "@stdlib"
keras.utils.set_random_seed(1)

LENGTH = 15  # letters of a name; 0 is padding, a to z are 1 to 26


def encode(name):
    letters = [ord(c) - 96 for c in name.lower() if "a" <= c <= "z"][:LENGTH]
    return letters + [0] * (LENGTH - len(letters))


def read(which):
    return (data / f"datasets-{which}-first-names-en" / "data" / "names.txt").read_text().split()


women, men = set(read("female")), set(read("male"))
names = sorted(women ^ men)  # names that both have tell nothing
# Every third name is kept for JavaScript to learn from, and every tenth is for nobody to learn from.
train = [n for i, n in enumerate(names) if i % 3 and i % 10]
x = np.array([encode(n) for n in train], "int32")
y = np.array([n in women for n in train], "float32")

ids = keras.Input((LENGTH,), dtype="int32", name="letters")
used = ops.cast(ops.not_equal(ids, 0), "int32")
places = ops.cumsum(ops.ones_like(ids), axis=1) * used  # 1, 2, 3, … and 0 where there is no letter
h = layers.Add()([layers.Embedding(27, 32, mask_zero=True, name="letter_embedding")(ids),
                  layers.Embedding(LENGTH + 1, 32, mask_zero=True, name="place_embedding")(places)])
for i in range(2):
    attended = layers.MultiHeadAttention(4, 8, dropout=0.1, name=f"attention_{i}")(h, h)
    h = layers.LayerNormalization(name=f"norm_{i}")(layers.Add(name=f"add_{i}")([h, attended]))
    wide = layers.Dense(64, activation="gelu", name=f"wide_{i}")(h)
    h = layers.LayerNormalization(name=f"norm_after_{i}")(layers.Add(name=f"add_after_{i}")([h, layers.Dense(32, name=f"narrow_{i}")(wide)]))
h = layers.GlobalAveragePooling1D(name="mean_over_letters")(h)  # the mask leaves padding out
model = keras.Model(ids, layers.Dense(1, activation="sigmoid", name="woman")(h), name="names")

model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=64, epochs=6, verbose=2)
# Without the optimizer's state, which is two thirds of a compiled model's file and stays in Python anyway.
keras.Model(model.inputs, model.outputs, name="names").save(here / "names.keras")

held = [n for i, n in enumerate(names) if i % 10 == 0]
p = model.predict(np.array([encode(n) for n in held], "int32"), verbose=0)[:, 0]
print(f"{len(held)} names it never saw: {np.mean((p > 0.5) == [n in women for n in held]):.1%} right")
for n in ["Isabella", "Frederick", "Robin"]:
    print(n, model.predict(np.array([encode(n)], "int32"), verbose=0)[0, 0])

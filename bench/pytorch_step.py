"""The same training step in PyTorch: training_step.ts starts it and asks for a step at a time.

Usage: pytorch_step.py SIZES_AND_WEIGHTS.json WEIGHTS.bin; each line on stdin is answered by `loss milliseconds`.
Written for speed as people write it there: one projection for query, key and value, fused attention, fused Adam.
"""
import json
import sys
import time

import torch
from torch.nn import functional as F

with open(sys.argv[1]) as file:
    header = json.load(file)
torch.set_num_threads(header["threads"])
sizes, tokens = header["sizes"], header["tokens"]
layers, width, heads = sizes["layers"], sizes["width"], sizes["heads"]
batch, length = sizes["batch"], sizes["length"]

flat = torch.frombuffer(bytearray(open(sys.argv[2], "rb").read()), dtype=torch.float32)
given = {}
at = 0
for name, shape in header["weights"]:
    size = torch.Size(shape).numel()
    given[name] = flat[at : at + size].reshape(shape)
    at += size


weights = {}
for i in range(layers):
    block, ours = f"{i}.", f"block_{i}/"
    parts = [f"{ours}self_attention/{part}" for part in ("query", "key", "value")]
    # F.linear wants [out, in].
    weights[block + "qkv"] = torch.cat([given[f"{part}/kernel"].reshape(width, width).t() for part in parts])
    weights[block + "qkv_bias"] = torch.cat([given[f"{part}/bias"].flatten() for part in parts])
    for name, part in (
        ("out", "self_attention/attention_output"),
        ("wide", "feedforward_intermediate_dense"),
        ("narrow", "feedforward_output_dense"),
    ):
        bias = given[f"{ours}{part}/bias"].flatten()
        weights[block + name] = given[f"{ours}{part}/kernel"].reshape(-1, bias.numel()).t()
        weights[block + name + "_bias"] = bias
    for name, part in (("norm1", "self_attention_layer_norm"), ("norm2", "feedforward_layer_norm")):
        weights[block + name] = given[f"{ours}{part}/gamma"]
        weights[block + name + "_bias"] = given[f"{ours}{part}/beta"]
weights["norm"], weights["norm_bias"] = given["final_norm/gamma"], given["final_norm/beta"]
weights["tokens"] = given["token_embedding/embeddings"]
weights["positions"] = given["position_embedding/embeddings"]
weights = {name: w.contiguous().clone().requires_grad_() for name, w in weights.items()}

optimizer = torch.optim.AdamW(
    list(weights.values()), lr=header["learningRate"], eps=1e-8, weight_decay=0, fused=True
)
ids = torch.tensor(tokens["ids"]).reshape(batch, length)
labels = torch.tensor(tokens["labels"])


def norm(x, name):
    return F.layer_norm(x, (width,), weights[name], weights[name + "_bias"], 1e-5)


def dense(x, name):
    return F.linear(x, weights[name], weights[name + "_bias"])


def loss():
    x = F.embedding(ids, weights["tokens"]) + weights["positions"][:length]
    for i in range(layers):
        block = f"{i}."
        q, k, v = (
            part.reshape(batch, length, heads, width // heads).transpose(1, 2)
            for part in dense(norm(x, block + "norm1"), block + "qkv").split(width, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + dense(y.transpose(1, 2).reshape(batch, length, width), block + "out")
        wide = F.gelu(dense(norm(x, block + "norm2"), block + "wide"), approximate="tanh")
        x = x + dense(wide, block + "narrow")
    logits = F.linear(norm(x, "norm"), weights["tokens"])
    return F.cross_entropy(logits.flatten(0, 1), labels)


print(torch.__version__, flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    optimizer.zero_grad()
    value = loss()
    value.backward()
    optimizer.step()
    print(value.item(), 1000 * (time.perf_counter() - start), flush=True)

"""The peer of our training: the models of plugins/models in eager PyTorch, trained as its users do
it (AdamW(fused=True), clip_grad_norm_, set_to_none). Run by training_bench.py.

    eager_training.py step NAME SECONDS     microseconds a step, the best window of ten steps
    eager_training.py sweep WIDTHS STEPS    seconds for gpt models one after another
"""

import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

CONTEXT, VOCABULARY = 64, 256


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.second = nn.Linear(784, width), nn.Linear(width, width)
        self.output = nn.Linear(width, 10)

    def forward(self, x):
        x = F.relu(self.first(x.flatten(1)), inplace=True)
        return self.output(F.relu(self.second(x), inplace=True))


class Block(nn.Module):
    def __init__(self, width, head_width):
        super().__init__()
        self.heads = width // head_width
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.attention_output = nn.Linear(width, width, bias=False)
        self.hidden = nn.Linear(width, 4 * width, bias=False)
        self.output = nn.Linear(4 * width, width, bias=False)

    def forward(self, x):
        batch, positions, _ = x.shape
        parts = self.query_key_value(self.attention_norm(x))
        query, key, value = parts.view(batch, positions, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.attention_output(mixed.transpose(1, 2).reshape(x.shape))
        return x + self.output(F.gelu(self.hidden(self.mlp_norm(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, width, layers=3, head_width=8):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.ModuleList(Block(width, head_width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        for parameter in self.parameters():
            if parameter.dim() >= 2:
                nn.init.normal_(parameter, 0, 0.02)

    def forward(self, x):
        x = self.tokens(x) + self.positions.weight[: x.size(1)]
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.tokens.weight)


class Trainer:
    def __init__(self, model, inputs, targets, batch_size):
        self.model, self.inputs, self.targets, self.batch_size = model, inputs, targets, batch_size
        matrices = [p for p in model.parameters() if p.dim() >= 2]
        vectors = [p for p in model.parameters() if p.dim() < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
            lr=1e-3, fused=True)
        self.order = torch.randperm(len(inputs))
        self.position = 0

    def step(self):
        if self.position + self.batch_size > len(self.order):
            self.order, self.position = torch.randperm(len(self.inputs)), 0
        rows = self.order[self.position:self.position + self.batch_size]
        self.position += self.batch_size
        output = self.model(self.inputs[rows])
        loss = F.cross_entropy(output.flatten(0, -2), self.targets[rows].flatten())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()


def make(name, width=None):
    if name == "mlp":
        return Trainer(Mlp(width or 256), torch.randn(2048, 784), torch.randint(10, (2048,)), 64)
    tokens = torch.randint(VOCABULARY, (2048, CONTEXT + 1))
    return Trainer(Gpt(width or 64), tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous(), 16)


def time_step(name, seconds):
    trainer = make(name)
    for _ in range(5):
        trainer.step()
    best, until = math.inf, time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        for _ in range(10):
            trainer.step()
        best = min(best, (time.perf_counter() - start) / 10)
    print(best * 1e6)


def time_sweep(widths, steps):
    for width in widths:  # what a process pays once stays out of the measurement
        make("gpt", width).step()
        break
    start = time.perf_counter()
    for width in widths:
        trainer = make("gpt", width)
        for _ in range(steps):
            trainer.step()
    print(time.perf_counter() - start)


def main():
    if sys.argv[1] == "step":
        time_step(sys.argv[2], float(sys.argv[3]))
    else:
        time_sweep([int(width) for width in sys.argv[2].split(",")], int(sys.argv[3]))


if __name__ == "__main__":
    main()

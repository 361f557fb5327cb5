"""Prints, as JSON, what PyTorch's own counter counts for the networks of support/networks.cpp:
{"name": [forward, forward and backward]}. Run by flop_counter_test."""

import json
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

SAMPLES = 3
POSITIONS, VOCABULARY = 12, 17


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.second = nn.Linear(11, width), nn.Linear(width, width)
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        return self.head(F.relu(self.second(F.relu(self.first(x)))))


class Cnn(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(2, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)
        self.head = nn.Linear(2 * channels, 5)

    def forward(self, x):
        return self.head(F.relu(self.second(F.relu(self.first(x)))).mean((2, 3)))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        parts = self.attention(self.first_norm(x)).chunk(3, -1)
        heads = [p.view(p.size(0), p.size(1), 2, -1).transpose(1, 2) for p in parts]
        attended = F.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + self.mixed(attended.transpose(1, 2).reshape(x.shape))
        return x + self.down(F.gelu(self.up(self.second_norm(x))))


class Gpt(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, width), nn.Embedding(POSITIONS, width)
        self.blocks = nn.Sequential(Block(width), Block(width))

    def forward(self, x):
        stream = self.tokens(x) + self.positions.weight[: x.size(1)]
        return F.linear(self.blocks(stream), self.tokens.weight)


class Upsampler(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.enter = nn.Conv2d(2, channels, 1)
        self.up = nn.ConvTranspose2d(channels, 2 * channels, 4, stride=2, padding=1)
        self.depthwise = nn.Conv2d(2 * channels, 2 * channels, 3, padding=2, dilation=2, groups=2 * channels)
        self.grouped_up = nn.ConvTranspose2d(2 * channels, channels, 3, groups=2)
        self.line = nn.Conv1d(channels, channels, 5, stride=3)
        self.head = nn.Linear(channels, 5)

    def forward(self, x):
        image = self.grouped_up(F.relu(self.depthwise(self.up(self.enter(x)))))
        return self.head(self.line(image.flatten(2)).mean(2))


class Lstm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, width)
        self.lstm = nn.LSTM(width, width, 2, batch_first=True)
        self.head = nn.Linear(width, VOCABULARY)

    def forward(self, x):
        return self.head(self.lstm(self.tokens(x))[0])


class Translator(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.tokens, self.self_ = nn.Embedding(VOCABULARY, width), nn.MultiheadAttention(width, 2)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.head = nn.Linear(width, width // 2), nn.Linear(width // 2, VOCABULARY)

    def forward(self, x):
        stream = self.tokens(x).transpose(0, 1)
        source = self.self_(stream, stream, stream)[0].transpose(0, 1)
        memory = source[:, : x.size(1) // 3]
        scores = torch.matmul(self.query(source), self.key(memory).transpose(1, 2)).softmax(-1)
        return self.head(torch.matmul(scores, self.value(memory)))


def count(network, inputs):
    with sdpa_kernel(SDPBackend.MATH), torch.backends.mkldnn.flags(enabled=False):
        with FlopCounterMode(display=False) as forward:
            output = network(inputs)
        with FlopCounterMode(display=False) as backward:
            output.sum().backward()
    return [forward.get_total_flops(), forward.get_total_flops() + backward.get_total_flops()]


def main():
    images, vectors = torch.randn(SAMPLES, 2, 9, 7), torch.randn(SAMPLES, 11)
    tokens = torch.randint(VOCABULARY, (SAMPLES, POSITIONS))
    counts = {
        "mlp": count(Mlp(16), vectors),
        "cnn": count(Cnn(6), images),
        "gpt": count(Gpt(16), tokens),
        "upsampler": count(Upsampler(4), images),
        "lstm": count(Lstm(8), tokens),
        "translator": count(Translator(8), tokens),
    }
    json.dump(counts, sys.stdout)


if __name__ == "__main__":
    main()

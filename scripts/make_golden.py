#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/data/nn_golden.json: what PyTorch itself gives for the modules of the room nn.

Each case holds an input, parameters by their C++ module path, the output, and the gradient of the sum of the squared
output with respect to the input. Everything is written with torch.nn.functional, in double, from one seed.

Usage: python3 scripts/make_golden.py [OUTPUT]      (needs torch; run it only to change the cases)
"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

SLOPE = 0.2


def draw(*shape):
    return torch.round(torch.randn(*shape, dtype=torch.float64) * 0.5, decimals=3)


def leaky(x):
    return F.leaky_relu(x, SLOPE)


def channel_norm(x, p, prefix=""):
    pixels = x.permute(0, 2, 3, 1)
    normed = F.layer_norm(pixels, (x.shape[1],), p[prefix + "weight"], p[prefix + "bias"])
    return normed.permute(0, 3, 1, 2)


def norm_parameters(channels, prefix=""):
    return {prefix + "weight": 1 + draw(channels), prefix + "bias": draw(channels)}


def conv_block(x, p, prefix="", stride=1, activation=True):
    y = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), p[prefix + "conv.weight"], stride=stride)
    y = channel_norm(y, p, prefix + "norm.")
    return leaky(y) if activation else y


def conv_block_parameters(inputs, outputs, prefix=""):
    return {prefix + "conv.weight": draw(outputs, inputs, 3, 3), **norm_parameters(outputs, prefix + "norm.")}


def residual_block(x, p):
    y = conv_block(conv_block(x, p, "first.", stride=2), p, "second.", activation=False)
    return y + F.conv2d(x, p["projection.weight"], stride=2)


def skip_connection(x, p):
    decoder, encoder = x[:, :2], x[:, 2:, :-1, :]
    reduced = F.conv2d(encoder, p["reduction.weight"], p["reduction.bias"])
    return torch.cat([decoder[:, :, :-1, :], reduced], 1)


def lift(x, p, spatial_kernel=None, full=False):
    volume = x.unsqueeze(1)
    if full:
        volume = F.pad(volume, (1, 1, 1, 1, 0, 0), mode="replicate")
        volume = leaky(F.conv3d(volume, p["volume.weight"], p["volume.bias"], stride=(2, 1, 1), padding=(1, 0, 0)))
    else:
        volume = leaky(F.conv3d(volume, p["spectral.weight"], p["spectral.bias"], stride=(2, 1, 1), padding=(1, 0, 0)))
        if spatial_kernel:
            volume = F.pad(volume, (1, 1, 1, 1, 0, 0), mode="replicate")
            volume = leaky(F.conv3d(volume, p["spatial.weight"], p["spatial.bias"]))
    y = F.conv2d(volume.flatten(1, 2), p["fold.weight"][:, :, None, None], p["fold.bias"])
    if "shortcut.weight" in p:
        y = y + F.conv2d(x, p["shortcut.weight"][:, :, None, None])
    return y


def attention(x, p, heads, window, prefix=""):
    """Cuts a map whose sides are multiples of the window, attends in each piece, and joins them."""
    rows = []
    for row in range(0, x.shape[2], window):
        pieces = []
        for col in range(0, x.shape[3], window):
            piece = x[:, :, row:row + window, col:col + window]
            tokens = piece.flatten(2).permute(2, 0, 1)
            mixed, _ = F.multi_head_attention_forward(
                tokens, tokens, tokens, x.shape[1], heads,
                p[prefix + "query_key_value.weight"], p[prefix + "query_key_value.bias"], None, None, False, 0.0,
                p[prefix + "output.weight"], p[prefix + "output.bias"])
            pieces.append(mixed.permute(1, 2, 0).reshape(piece.shape))
        rows.append(torch.cat(pieces, 3))
    return torch.cat(rows, 2)


def attention_parameters(channels, prefix=""):
    return {prefix + "query_key_value.weight": draw(3 * channels, channels),
            prefix + "query_key_value.bias": draw(3 * channels),
            prefix + "output.weight": draw(channels, channels), prefix + "output.bias": draw(channels)}


def attention_block(x, p):
    x = x + attention(channel_norm(x, p, "attention_norm."), p, 2, 2, "attention.")
    hidden = F.gelu(F.conv2d(channel_norm(x, p, "mlp_norm."), p["widen.weight"], p["widen.bias"]))
    return x + F.conv2d(hidden, p["narrow.weight"], p["narrow.bias"])


def cases():
    yield "channel_norm", draw(2, 5, 2, 3), norm_parameters(5), channel_norm
    yield "conv_block", draw(1, 2, 4, 5), conv_block_parameters(2, 3), conv_block
    yield ("residual_block", draw(1, 2, 5, 4),
           {**conv_block_parameters(2, 3, "first."), **conv_block_parameters(3, 3, "second."),
            "projection.weight": draw(3, 2, 1, 1)}, residual_block)
    yield ("skip_connection", draw(1, 5, 4, 3), {"reduction.weight": draw(1, 3, 1, 1), "reduction.bias": draw(1)},
           skip_connection)
    fold = {"fold.weight": draw(3, 2 * 4), "fold.bias": draw(3)}
    spectral = {"spectral.weight": draw(2, 1, 3, 1, 1), "spectral.bias": draw(2)}
    yield ("spectral_lift", draw(2, 7, 2, 3), {**spectral, **fold, "shortcut.weight": draw(3, 7)}, lift)
    yield ("spectral_lift_factorised", draw(1, 7, 3, 3),
           {**spectral, "spatial.weight": draw(2, 2, 1, 3, 3), "spatial.bias": draw(2), **fold},
           lambda x, p: lift(x, p, spatial_kernel=3))
    yield ("spectral_lift_full", draw(1, 7, 3, 3),
           {"volume.weight": draw(2, 1, 3, 3, 3), "volume.bias": draw(2), **fold}, lambda x, p: lift(x, p, full=True))
    yield ("transposed_conv", draw(1, 2, 3, 3), {"conv.weight": draw(2, 3, 4, 4), "conv.bias": draw(3)},
           lambda x, p: F.conv_transpose2d(x, p["conv.weight"], p["conv.bias"], stride=2, padding=1))
    yield ("bilinear", draw(1, 2, 2, 3), {},
           lambda x, p: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
    yield ("nearest", draw(1, 2, 2, 3), {}, lambda x, p: F.interpolate(x, scale_factor=2, mode="nearest"))
    yield "attention", draw(1, 4, 4, 6), attention_parameters(4), lambda x, p: attention(x, p, 2, 2)
    yield ("attention_block", draw(1, 4, 2, 4),
           {**norm_parameters(4, "attention_norm."), **attention_parameters(4, "attention."),
            **norm_parameters(4, "mlp_norm."), "widen.weight": draw(8, 4, 1, 1), "widen.bias": draw(8),
            "narrow.weight": draw(4, 8, 1, 1), "narrow.bias": draw(4)}, attention_block)
    target, weight = draw(2, 4, 2, 3), torch.tensor([[[1, 0, 2], [1, 1, 3]], [[0, 1, 1], [2, 1, 1]]]).double()

    def mean(values):
        return (values * weight).sum() / weight.sum()

    losses = {"target": target, "weight": weight}
    yield ("root_mean_square_loss", draw(2, 4, 2, 3), losses,
           lambda x, p: mean((F.mse_loss(x, target, reduction="none").mean(1) + 1e-6).sqrt()))
    yield ("squared_loss", draw(2, 4, 2, 3), losses,
           lambda x, p: mean(F.mse_loss(x, target, reduction="none").mean(1)))
    yield ("cosine_loss", draw(2, 4, 2, 3), losses,
           lambda x, p: mean(1 - F.cosine_similarity(x, target, dim=1)))


def as_json(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]}


def main():
    here = pathlib.Path(__file__).resolve().parent
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent / "tests" / "data" / "nn_golden.json"
    torch.manual_seed(20)
    golden = {}
    for name, x, parameters, function in cases():
        x.requires_grad_()
        y = function(x, parameters)
        gradient, = torch.autograd.grad(y.square().sum(), x)
        golden[name] = {"input": as_json(x), "output": as_json(y), "gradient": as_json(gradient),
                        "parameters": {key: as_json(value) for key, value in parameters.items()}}
    path.write_text("{\n" + ",\n".join(
        f"{json.dumps(name)}: {json.dumps(case, separators=(',', ':'))}" for name, case in golden.items()) + "\n}\n")


if __name__ == "__main__":
    main()

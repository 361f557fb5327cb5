#!/usr/bin/env python3
"""How long fits take, one thread, beside scipy doing the same work on the same rows."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import scipy.optimize

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
PROGRAM = str(BUILD / "tests" / "fit_timings")
DELTA = 1e-3


def made_rows(count):
    """Rows of a law with 0.5 % noise: sizes and data spread evenly in logarithms."""
    random = np.random.default_rng(1)
    n = 10 ** random.uniform(7, 10, count)
    d = 10 ** random.uniform(8, 12, count)
    loss = (1.8 + 480 * n**-0.35 + 2100 * d**-0.37) * np.exp(0.005 * random.standard_normal(count))
    return n, d, loss


def ours(*words):
    return json.loads(subprocess.run([PROGRAM, *map(str, words)], check=True, capture_output=True,
                                     text=True).stdout)


def huber_and_gradient(point, x, y, z, weight):
    """The sum of Huber's loss of log residuals, and its gradient, by (a, b, e, alpha, beta)."""
    a, b, e, alpha, beta = point
    terms = np.stack([a - alpha * x, b - beta * y, np.full_like(x, e)])
    top = terms.max(axis=0)
    shares = np.exp(terms - top)
    total = shares.sum(axis=0)
    r = np.log(total) + top - z
    size = np.abs(r)
    value = weight @ np.where(size <= DELTA, 0.5 * r * r, DELTA * (size - 0.5 * DELTA))
    slope = weight * np.clip(r, -DELTA, DELTA)
    by = shares / total * slope
    return value, np.array([by[0].sum(), by[1].sum(), by[2].sum(), -(by[0] @ x), -(by[1] @ y)])


def descend(start, rows, weight, method):
    # The objective is divided by a unit near its own: else scipy's tolerances end it early.
    unit = DELTA * DELTA * len(weight)
    options = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 2000} if method == "L-BFGS-B" else {"gtol": 1e-8}

    def scaled(point):
        value, gradient = huber_and_gradient(point, *rows, weight)
        return value / unit, gradient / unit
    found = scipy.optimize.minimize(scaled, start, jac=True, method=method, options=options)
    return found.fun * unit, found.x


def scipy_grid(rows):
    """What our search does first: at 29 x 29 exponents the terms by reweighted non-negative least squares."""
    x, y, z = rows
    n, d = np.exp(x - x.min()), np.exp(y - y.min())
    per = np.exp(-z)
    lowest = np.inf
    for alpha in np.geomspace(0.001, 10, 29):
        for beta in np.geomspace(0.001, 10, 29):
            design = np.stack([per, per * n**-alpha, per * d**-beta], axis=1)
            root = np.ones(len(z))
            for _ in range(6):
                terms = scipy.optimize.nnls(design * root[:, None], root)[0]
                root = np.sqrt(DELTA / np.maximum(np.abs(design @ terms - 1), DELTA))
            with np.errstate(divide="ignore"):
                r = np.abs(np.log(design @ terms))
            lowest = min(lowest, np.where(r <= DELTA, 0.5 * r * r, DELTA * (r - 0.5 * DELTA)).sum())
    return lowest


def scipy_search(rows, starts):
    random = np.random.default_rng(2)
    lowest = (np.inf, None)
    begin = time.perf_counter()
    scipy_grid(rows)
    for _ in range(starts):
        start = [random.uniform(0, 25), random.uniform(0, 25), random.uniform(-1, 1.5),
                 random.uniform(0, 2), random.uniform(0, 2)]
        lowest = min(lowest, descend(start, rows, np.ones(len(rows[0])), "L-BFGS-B"),
                     key=lambda found: found[0])
    return time.perf_counter() - begin, lowest


def scipy_bootstrap(rows, start, count):
    random = np.random.default_rng(3)
    rows_count = len(rows[0])
    begin = time.perf_counter()
    for _ in range(count):
        weight = np.bincount(random.integers(0, rows_count, rows_count), minlength=rows_count)
        descend(start, rows, weight.astype(float), "BFGS")
    return (time.perf_counter() - begin) / count


def scipy_vpnls(rows):
    x, y, z = rows
    loss = np.exp(z)
    n, d = np.exp(x - x.mean()), np.exp(y - y.mean())

    def linear(exponents):
        design = np.stack([np.ones_like(n), n**-exponents[0], d**-exponents[1]], axis=1)
        return scipy.optimize.nnls(design, loss)[1]
    begin = time.perf_counter()
    grid = np.linspace(0.05, 0.95, 32)
    start = min(((a, b) for a in grid for b in grid), key=linear)
    scipy.optimize.minimize(linear, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14})
    return time.perf_counter() - begin


def report(figure, target, measured, met):
    print(json.dumps({"figure": f"fits: {figure}", "target": target, "measured": measured, "met": bool(met)}),
          flush=True)


def main():
    n, d, loss = made_rows(240)
    rows = (np.log(n), np.log(d), np.log(loss))
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "rows.txt"
        table.write_text("".join(f"{a!r} {b!r} {c!r}\n" for a, b, c in zip(n.tolist(), d.tolist(), loss.tolist())))
        full = ours("full", table)
        bootstrap = ours("bootstrap", table, 4000)
        vpnls = ours("vpnls", table)
    peer, lowest = scipy_search(rows, full["starts"])
    report("approach3 with its proof, 240 rows", "at most 50 ms", f"{full['seconds'] * 1e3:.1f} ms",
           full["seconds"] <= 0.050)
    report(f"the same in scipy: nnls on as large a grid, L-BFGS-B from as many starts ({full['starts']})", "at least 50x",
           f"{peer / full['seconds']:.0f}x", peer >= 50 * full["seconds"])
    report("its objective against scipy's best", "not above", f"{full['objective'] / lowest[0] - 1:.1e}",
           full["objective"] <= lowest[0] * (1 + 1e-9))
    report("4,000 bootstrap refits of 240 rows", "at most 1 s", f"{bootstrap['seconds']:.2f} s",
           bootstrap["seconds"] <= 1.0)
    peer_refit = scipy_bootstrap(rows, lowest[1], 100)
    ratio = peer_refit * 4000 / bootstrap["seconds"]
    report("one refit beside scipy's BFGS from the same start", "at least 50x", f"{ratio:.0f}x", ratio >= 50)
    report("vpnls, 240 rows", "at most 5 ms", f"{vpnls['seconds'] * 1e3:.2f} ms", vpnls["seconds"] <= 0.005)
    peer_vpnls = scipy_vpnls(rows)
    report("the same beside scipy (32 x 32 nnls, Nelder-Mead)", "faster",
           f"{peer_vpnls / vpnls['seconds']:.0f}x", peer_vpnls > vpnls["seconds"])
    quarter, whole = ours("large", 250_000), ours("large", 1_000_000)
    report("approach3, 1,000,000 rows", "at most 3 s", f"{whole['seconds']:.2f} s", whole["seconds"] <= 3.0)
    growth = whole["kilobytes"] / quarter["kilobytes"]
    report("memory of 4 times the rows", "at most 4.2 times", f"{growth:.2f} times", growth <= 4.2)


if __name__ == "__main__":
    main()

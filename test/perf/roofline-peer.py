"""Prints the best GFLOP/s of numpy's float32 product of two 1024 x 1024 matrices, on as many threads as the environment gives BLAS."""

import time

import numpy

SIZE = 1024
SECONDS = 1.0

a = numpy.ones((SIZE, SIZE), numpy.float32)
b = numpy.ones((SIZE, SIZE), numpy.float32)
out = numpy.empty((SIZE, SIZE), numpy.float32)
best = float("inf")
end = time.perf_counter() + SECONDS
while time.perf_counter() < end:
    start = time.perf_counter()
    numpy.matmul(a, b, out=out)
    best = min(best, time.perf_counter() - start)
print(2 * SIZE**3 / best / 1e9)

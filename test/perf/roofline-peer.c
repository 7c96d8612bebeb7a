/*
 * Prints the best GB/s of two loops over floats, reads and writes counted: a copy from one array to another, as in STREAM, and a
 * change in place. Argument: bytes of an array.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
  size_t count = argc > 1 ? strtoull(argv[1], NULL, 10) / sizeof(float) : 0;
  float *a = malloc(count * sizeof(float));
  float *b = malloc(count * sizeof(float));
  if (count == 0 || a == NULL || b == NULL) return 1;
  for (size_t i = 0; i < count; i++) a[i] = b[i] = 1;
  double copied = 1e9, changed = 1e9;
  for (int round = 0; round < 10; round++) {
    double start = now();
    for (size_t i = 0; i < count; i++) b[i] = a[i];
    __asm__ volatile("" : : "r"(b) : "memory");
    double between = now();
    for (size_t i = 0; i < count; i++) a[i] = a[i] > 0 ? a[i] : 0;
    __asm__ volatile("" : : "r"(a) : "memory");
    double end = now();
    if (between - start < copied) copied = between - start;
    if (end - between < changed) changed = end - between;
  }
  double bytes = 2.0 * count * sizeof(float) / 1e9;
  printf("%g %g\n", bytes / copied, bytes / changed);
  return 0;
}

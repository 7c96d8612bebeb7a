/* Wakes up RATE times a second and reads each FILE once, for as long as it is left running: the least that sampling can cost on a host.
   usage: sleep-loop RATE [FILE ...] */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MOST_FILES 64

static char buffer[1 << 16];

int main(int count, char **words) {
  if (count < 2 || count - 2 > MOST_FILES) return 2;
  long period_ns = 1000000000L / atol(words[1]);
  int files[MOST_FILES];
  for (int i = 2; i < count; i++) files[i - 2] = open(words[i], O_RDONLY);
  struct timespec due;
  clock_gettime(CLOCK_MONOTONIC, &due);
  for (;;) {
    due.tv_nsec += period_ns;
    while (due.tv_nsec >= 1000000000L) {
      due.tv_nsec -= 1000000000L;
      due.tv_sec += 1;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0) {
    }
    for (int i = 0; i < count - 2; i++) {
      if (pread(files[i], buffer, sizeof buffer, 0) < 0) return 1;
    }
  }
}

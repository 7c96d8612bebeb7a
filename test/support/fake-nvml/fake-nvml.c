// A small stand-in for libnvidia-ml.so.1. It answers what the file beside it says (its own path with `.state` added), one value a line:
//
//   count 2                                     values of the system
//   gpu0 memory 42949672960 543162368 0 ...     values of a device: gpu<index> or mig<index>.<position>
//   gpu0 code nvmlDeviceGetPowerUsage 3         what a function returns for a device instead
//   code nvmlInit_v2 9                          and for everything
//   hang nvmlDeviceGetUtilizationRates          it never returns
//
// A device that was lost stays so until the next nvmlInit_v2. The file is read again when another takes its place, so that a test can lose a GPU between two readings. What it does not mention is not supported.
// With -DOLD_DRIVER the functions of newer drivers are missing; with -DREAD_ONCE the file is read once, for measuring.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct { char name[16]; unsigned index; } Device;

static char text[65536];
static ino_t read_from;
static int initialized;
static Device devices[64];
// What a device that was lost goes on answering in this session.
static int lost_by_device[64];

static void load_state(void) {
#ifdef READ_ONCE
  if (text[0] != 0) return;
#endif
  static char path[4096];
  if (path[0] == 0) {
    Dl_info self;
    dladdr((void *)load_state, &self);
    snprintf(path, sizeof path, "%s.state", self.dli_fname);
  }
  struct stat status;
  if (stat(path, &status) != 0) { text[0] = 0; return; }
  if (status.st_ino == read_from) return;
  read_from = status.st_ino;
  FILE *file = fopen(path, "r");
  text[0] = '\n';
  size_t length = file == NULL ? 0 : fread(text + 1, 1, sizeof text - 2, file);
  text[length + 1] = 0;
  if (file != NULL) fclose(file);
}

// What follows a key at the start of a line.
static const char *find(const char *key) {
  char line[256];
  snprintf(line, sizeof line, "\n%s ", key);
  const char *found = strstr(text, line);
  return found == NULL ? NULL : found + strlen(line);
}

static const char *value_of(const Device *device, const char *key) {
  char full[256];
  if (device == NULL) return find(key);
  snprintf(full, sizeof full, "%s %s", device->name, key);
  return find(full);
}

static int begin(const char *function, const Device *device) {
  load_state();
  char key[256];
  snprintf(key, sizeof key, "\nhang %s\n", function);
  if (strstr(text, key) != NULL) for (;;) pause();
  snprintf(key, sizeof key, "code %s", function);
  const char *code = find(key);
  if (code == NULL && device != NULL) code = value_of(device, key);
  if (code == NULL && device != NULL) code = value_of(device, "code *");
  int *lost = device == NULL ? NULL : &lost_by_device[device - devices];
  if (code != NULL) {
    if (lost != NULL && (atoi(code) == 15 || atoi(code) == 16)) *lost = atoi(code);
    return atoi(code);
  }
  if (lost != NULL && *lost != 0) return *lost;
  return initialized || strcmp(function, "nvmlInit_v2") == 0 ? 0 : 1;
}

#define BEGIN(device) do { int code = begin(__func__, device); if (code != 0) return code; } while (0)

static int put_text(const char *value, char *out, unsigned size) {
  if (value == NULL) return 3;
  size_t length = strcspn(value, "\n");
  if (length + 1 > size) return 7;
  memcpy(out, value, length);
  out[length] = 0;
  return 0;
}

static int put_u32(const char *value, unsigned *out) {
  if (value == NULL) return 3;
  *out = (unsigned)strtoul(value, NULL, 0);
  return 0;
}

static int put_u64(const char *value, uint64_t *out, int count) {
  if (value == NULL) return 3;
  for (int i = 0; i < count; i++) out[i] = strtoull(value, (char **)&value, 0);
  return 0;
}

int nvmlInit_v2(void) { BEGIN(NULL); initialized++; memset(lost_by_device, 0, sizeof lost_by_device); return 0; }
int nvmlShutdown(void) { BEGIN(NULL); initialized--; return 0; }
int nvmlSystemGetDriverVersion(char *out, unsigned size) { BEGIN(NULL); return put_text(find("driver"), out, size); }
int nvmlSystemGetCudaDriverVersion_v2(int *out) { BEGIN(NULL); return put_u32(find("cuda"), (unsigned *)out); }
int nvmlDeviceGetCount_v2(unsigned *out) { BEGIN(NULL); return put_u32(find("count"), out); }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **out) {
  Device *device = &devices[index];
  snprintf(device->name, sizeof device->name, "gpu%u", index);
  device->index = index;
  BEGIN(device);
  *out = device;
  return 0;
}

int nvmlDeviceGetName(Device *d, char *out, unsigned size) { BEGIN(d); return put_text(value_of(d, "name"), out, size); }
int nvmlDeviceGetUUID(Device *d, char *out, unsigned size) { BEGIN(d); return put_text(value_of(d, "uuid"), out, size); }
int nvmlDeviceGetArchitecture(Device *d, unsigned *out) { BEGIN(d); return put_u32(value_of(d, "architecture"), out); }

// deviceId and busId.
int nvmlDeviceGetPciInfo_v3(Device *d, char *out) {
  BEGIN(d);
  const char *value = value_of(d, "pci");
  if (value == NULL) return 3;
  *(uint32_t *)(out + 28) = (uint32_t)strtoul(value, (char **)&value, 0);
  return put_text(value + 1, out + 36, 32);
}

// Two percentages.
int nvmlDeviceGetUtilizationRates(Device *d, unsigned *out) {
  BEGIN(d);
  uint64_t rates[2];
  if (put_u64(value_of(d, "utilization"), rates, 2) != 0) return 3;
  out[0] = (unsigned)rates[0];
  out[1] = (unsigned)rates[1];
  return 0;
}

// total, reserved, used, free
int nvmlDeviceGetMemoryInfo(Device *d, uint64_t *out) {
  BEGIN(d);
  uint64_t memory[4];
  if (put_u64(value_of(d, "memory"), memory, 4) != 0) return 3;
  out[0] = memory[0]; out[1] = memory[3]; out[2] = memory[1] + memory[2];
  return 0;
}

int nvmlDeviceGetPowerUsage(Device *d, unsigned *out) { BEGIN(d); return put_u32(value_of(d, "power"), out); }
int nvmlDeviceGetEnforcedPowerLimit(Device *d, unsigned *out) { BEGIN(d); return put_u32(value_of(d, "limit"), out); }
int nvmlDeviceGetTotalEnergyConsumption(Device *d, uint64_t *out) { BEGIN(d); return put_u64(value_of(d, "energy"), out, 1); }
int nvmlDeviceGetPcieReplayCounter(Device *d, unsigned *out) { BEGIN(d); return put_u32(value_of(d, "replays"), out); }
int nvmlDeviceGetCurrentClocksThrottleReasons(Device *d, uint64_t *out) { BEGIN(d); return put_u64(value_of(d, "throttle"), out, 1); }
int nvmlDeviceGetTemperature(Device *d, unsigned sensor, unsigned *out) { BEGIN(d); return sensor != 0 ? 2 : put_u32(value_of(d, "temperature"), out); }

int nvmlDeviceGetClockInfo(Device *d, unsigned domain, unsigned *out) {
  BEGIN(d);
  char key[16];
  snprintf(key, sizeof key, "clock%u", domain);
  return put_u32(value_of(d, key), out);
}

int nvmlDeviceGetTotalEccErrors(Device *d, unsigned kind, unsigned scope, uint64_t *out) {
  BEGIN(d);
  char key[16];
  snprintf(key, sizeof key, "ecc%u%u", kind, scope);
  return put_u64(value_of(d, key), out, 1);
}

// A line `process<n> <pid> <bytes> <gpu instance> <compute instance>` each; a process that draws is `graphics<n>`.
static int list_processes(Device *d, const char *kind, unsigned *count, char *out) {
  unsigned capacity = *count, found = 0;
  for (;; found++) {
    char key[32];
    snprintf(key, sizeof key, "%s%u", kind, found);
    const char *value = value_of(d, key);
    uint64_t process[4];
    if (put_u64(value, process, 4) != 0) break;
    if (found >= capacity) continue;
    *(uint32_t *)(out + found * 24) = (uint32_t)process[0];
    *(uint64_t *)(out + found * 24 + 8) = process[1];
    *(uint32_t *)(out + found * 24 + 16) = (uint32_t)process[2];
    *(uint32_t *)(out + found * 24 + 20) = (uint32_t)process[3];
  }
  *count = found;
  return found > capacity ? 7 : 0;
}

int nvmlDeviceGetComputeRunningProcesses_v2(Device *d, unsigned *count, char *out) { BEGIN(d); return list_processes(d, "process", count, out); }

#ifndef OLD_DRIVER
int nvmlDeviceGetComputeRunningProcesses_v3(Device *d, unsigned *count, char *out) { BEGIN(d); return list_processes(d, "process", count, out); }
int nvmlDeviceGetGraphicsRunningProcesses_v3(Device *d, unsigned *count, char *out) { BEGIN(d); return list_processes(d, "graphics", count, out); }
int nvmlDeviceGetCurrentClocksEventReasons(Device *d, uint64_t *out) { BEGIN(d); return put_u64(value_of(d, "throttle"), out, 1); }

// version, total, reserved, free, used
int nvmlDeviceGetMemoryInfo_v2(Device *d, char *out) {
  BEGIN(d);
  if (*(uint32_t *)out != 0x2000028) return 25;
  uint64_t memory[4];
  if (put_u64(value_of(d, "memory"), memory, 4) != 0) return 3;
  uint64_t ordered[4] = { memory[0], memory[1], memory[3], memory[2] };
  memcpy(out + 8, ordered, sizeof ordered);
  return 0;
}

// version, sensor, temperature
int nvmlDeviceGetTemperatureV(Device *d, uint32_t *out) {
  BEGIN(d);
  if (out[0] != 0x100000C || out[1] != 0) return 25;
  return put_u32(value_of(d, "temperature"), &out[2]);
}

// A line `field<id> <value type> <value>` each.
int nvmlDeviceGetFieldValues(Device *d, int count, char *out) {
  BEGIN(d);
  for (char *entry = out; count-- > 0; entry += 40) {
    char key[32];
    snprintf(key, sizeof key, "field%u", *(uint32_t *)entry);
    uint64_t field[2] = { 0, 0 };
    int code = put_u64(value_of(d, key), field, 2);
    *(uint32_t *)(entry + 24) = (uint32_t)field[0];
    *(uint32_t *)(entry + 28) = (uint32_t)code;
    *(uint64_t *)(entry + 32) = field[1];
  }
  return 0;
}

int nvmlDeviceGetMigMode(Device *d, unsigned *current, unsigned *pending) {
  BEGIN(d);
  *pending = 0;
  return put_u32(value_of(d, "migmode"), current);
}

int nvmlDeviceGetMaxMigDeviceCount(Device *d, unsigned *out) { BEGIN(d); *out = 7; return 0; }

int nvmlDeviceGetMigDeviceHandleByIndex(Device *d, unsigned position, Device **out) {
  BEGIN(d);
  Device *part = &devices[8 + d->index * 7 + position];
  snprintf(part->name, sizeof part->name, "mig%u.%u", d->index, position);
  if (value_of(part, "uuid") == NULL) return 6;
  *out = part;
  return 0;
}

int nvmlDeviceGetGpuInstanceId(Device *d, unsigned *out) { BEGIN(d); return put_u32(value_of(d, "gi"), out); }
int nvmlDeviceGetComputeInstanceId(Device *d, unsigned *out) { BEGIN(d); return put_u32(value_of(d, "ci"), out); }
#endif

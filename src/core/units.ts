/** 1536 → `1.5 KiB`. Binary prefixes, three significant digits. */
export function formatBytes(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : significant(value)} ${units[unit]}`;
}

/** 0.00123 → `1.23 ms`. Three significant digits in the unit that reads best. */
export function formatSeconds(seconds: number): string {
  if (seconds >= 60) {
    const whole = Math.round(seconds);
    return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  }
  if (seconds >= 1) return `${significant(seconds)} s`;
  if (seconds >= 1e-3) return `${significant(seconds * 1e3)} ms`;
  if (seconds >= 1e-6) return `${significant(seconds * 1e6)} µs`;
  return `${significant(seconds * 1e9)} ns`;
}

function significant(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** 0.216 → `216 mJ`, 1540 → `1.54 kJ`. Three significant digits. */
export function formatJoules(joules: number): string {
  if (joules >= 1000) return `${significant(joules / 1000)} kJ`;
  return joules >= 1 ? `${significant(joules)} J` : `${significant(joules * 1000)} mJ`;
}

/** 1234.5 → `1235`, 12.3456 → `12.35`: four significant digits, and never an exponent for large rates. */
export function formatRate(perSecond: number): string {
  return perSecond >= 1000 ? perSecond.toFixed(0) : perSecond.toPrecision(4);
}

/** 1.43e11 with `FLOP/s` → `143 GFLOP/s`. Decimal prefixes, three significant digits. */
export function formatSi(value: number, unit: string): string {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];
  let scaled = value;
  let prefix = 0;
  // What rounds to 1000 belongs to the next prefix.
  while (scaled >= 999.5 && prefix < prefixes.length - 1) {
    scaled /= 1000;
    prefix += 1;
  }
  return `${scaled === 0 ? '0' : significant(scaled)} ${prefixes[prefix]}${unit}`;
}

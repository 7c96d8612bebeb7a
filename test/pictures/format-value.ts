/** A value as Grafana shows it with a unit. */
export function formatValue(value: number, unit = 'none', decimals?: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : value > 0 ? '+Inf' : '−Inf';
  if (unit === 'percentunit') return `${(value * 100).toFixed(decimals ?? (value < 0.1 ? 2 : 0))} %`;
  if (unit === 'bytes' || unit === 'Bps')
    return scaled(value, 1024, BINARY, unit === 'Bps' ? '/s' : '', decimals);
  if (unit === 's') return seconds(value, decimals);
  if (unit === 'dateTimeFromNow') return `${seconds((Date.now() - value) / 1000, 0)} ago`;
  const suffix = SUFFIXES[unit];
  if (suffix !== undefined) return scaled(value, 1000, DECIMAL, suffix, decimals);
  return Number.isInteger(value) && decimals === undefined
    ? `${value}`
    : value.toFixed(decimals ?? digits(value));
}

const BINARY = [' B', ' KiB', ' MiB', ' GiB', ' TiB'];
const DECIMAL = ['', ' k', ' M', ' G', ' T'];
const SUFFIXES: Readonly<Record<string, string>> = {
  rotHz: 'Hz',
  ops: 'ops/s',
  watt: 'W',
  joule: 'J',
  celsius: '°C',
  dB: 'dB',
};

function scaled(
  value: number,
  base: number,
  units: readonly string[],
  suffix: string,
  decimals: number | undefined,
): string {
  let rest = value;
  let at = 0;
  while (Math.abs(rest) >= base && at < units.length - 1) {
    rest /= base;
    at++;
  }
  const unit = units[at] ?? '';
  return `${rest.toFixed(decimals ?? digits(rest))}${unit === '' && suffix !== '' ? ' ' : unit}${suffix}`;
}

function seconds(value: number, decimals: number | undefined): string {
  const size = Math.abs(value);
  if (size === 0) return '0 s';
  if (size < 1e-3) return `${(value * 1e6).toFixed(decimals ?? 0)} µs`;
  if (size < 1) return `${(value * 1e3).toFixed(decimals ?? digits(value * 1e3))} ms`;
  if (size < 120) return `${value.toFixed(decimals ?? digits(value))} s`;
  return size < 7200 ? `${(value / 60).toFixed(1)} min` : `${(value / 3600).toFixed(1)} h`;
}

function digits(value: number): number {
  const size = Math.abs(value);
  return size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
}

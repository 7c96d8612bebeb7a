/** An A100 at light work, as its driver 570 answers; for `fake-nvml.c`. */
export const A100 = `driver 570.148.08
cuda 12080
count 1
gpu0 name NVIDIA A100-SXM4-40GB
gpu0 uuid GPU-a1000000-0000-0000-0000-000000000001
gpu0 pci 0x20b010de 00000000:41:00.0
gpu0 architecture 7
gpu0 utilization 37 12
gpu0 memory 42949672960 543162368 1073741824 41332768768
gpu0 power 61250
gpu0 limit 400000
gpu0 temperature 33
gpu0 clock0 1410
gpu0 clock1 1395
gpu0 clock2 1215
gpu0 clock3 1275
gpu0 throttle 0x24
gpu0 ecc00 3
gpu0 ecc10 0
gpu0 ecc01 11
gpu0 ecc11 1
gpu0 migmode 0
gpu0 field82 1 34
gpu0 field83 3 7200500
gpu0 field94 1 2
gpu0 field186 1 49680
gpu0 field197 3 1000
gpu0 field198 3 5000
`;

/** A state with some lines replaced, by what they begin with, and others added. */
export function withLines(state: string, ...lines: readonly string[]): string {
  const keyOf = (line: string) => /^((gpu|mig)[\d.]+ )?(code |hang )?\S+/.exec(line)?.[0];
  const replaced = new Set(lines.map(keyOf));
  const kept = state.split('\n').filter((line) => line !== '' && !replaced.has(keyOf(line)));
  return [...kept, ...lines, ''].join('\n');
}

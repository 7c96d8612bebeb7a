/** Samples from `start` up to and without `end`. */
export interface SampleRange {
  readonly start: number;
  readonly end: number;
}

/** Converts a signal from one sample rate to another, any part of it at a time. */
export interface Resampler {
  /** Samples that a signal of `inputLength` samples becomes: its duration at the new rate, rounded up. */
  outputLength(inputLength: number): number;
  /** The input samples that a range of outputs depends on. It may reach beyond both ends of the signal. */
  inputRange(output: SampleRange): SampleRange;
  /**
   * A range of the output from a part of the input that begins at sample `inputStart`. What lies outside of that part
   * counts as zeros, so it must hold all of `inputRange` that the signal has.
   */
  resample(input: Float32Array, inputStart: number, output: SampleRange): Float32Array;
}

/** Zero crossings of the sinc on each side, and the cutoff as a share of the lower Nyquist frequency. */
const FILTER_WIDTH = 6;
const ROLLOFF = 0.99;

/** Weights of all phases together; 64 MiB of them. */
const MAX_WEIGHTS = 2 ** 23;

/**
 * A windowed-sinc resampler with the defaults of `torchaudio.functional.resample` (`sinc_interp_hann`, a filter width of
 * 6, a rolloff of 0.99): output m, at the time m/to, is Σₖ x[k] · (b/from) · sinc(b·τ) · cos²(π·b·τ/12) with
 * τ = k/from − m/to and b = 0.99 · min(from, to), over the samples with |b·τ| < 6; samples before and behind the signal
 * are zeros. Weights and sums are in double precision, rounded to float32 once. For each of the to/gcd phases only the
 * weights that are not zero are kept, about 12 for each input sample an output stands for. Equal rates are filtered as
 * well; torchaudio leaves such a signal as it is, and so should a caller.
 * Source: J. O. Smith, "Digital Audio Resampling".
 *
 * @param fromHz positive integer, as is `toHz`
 * @returns undefined where the weights of all phases would take more than 64 MiB: rates without a common divisor of
 * which one is very large
 */
export function createResampler(fromHz: number, toHz: number): Resampler | undefined {
  if (!isRate(fromHz) || !isRate(toHz)) {
    throw new RangeError(`sample rates must be positive integers, not ${fromHz} and ${toHz}`);
  }
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const from = fromHz / divisor;
  const to = toHz / divisor;
  const halfWidth = (FILTER_WIDTH * from) / (ROLLOFF * Math.min(from, to));
  const taps = 2 * Math.floor(halfWidth) + 2;
  if (to * taps > MAX_WEIGHTS) return undefined;
  return polyphaseResampler(from, to, phaseFilters(from, to, taps));
}

/** One filter for each phase, the position of an output between two inputs. */
interface PhaseFilters {
  readonly taps: number;
  /** Of phase p: `taps` weights from p · taps on. */
  readonly weights: Float64Array;
  /** The input sample of each phase's first weight, for the first output of that phase. */
  readonly firstInput: Int32Array;
}

function phaseFilters(from: number, to: number, taps: number): PhaseFilters {
  const bandwidth = ROLLOFF * Math.min(from, to);
  const weights = new Float64Array(to * taps);
  const firstInput = new Int32Array(to);
  for (let phase = 0; phase < to; phase += 1) {
    const first = Math.ceil((phase * from) / to - (FILTER_WIDTH * from) / bandwidth);
    firstInput[phase] = first;
    for (let tap = 0; tap < taps; tap += 1) {
      // The difference of two fractions, taken in integers so that equal times give exactly 0.
      const time = (bandwidth * ((first + tap) * to - phase * from)) / (from * to);
      weights[phase * taps + tap] = (weight(time) * bandwidth) / from;
    }
  }
  return { taps, weights, firstInput };
}

/** The windowed sinc at a time in zero crossings. */
function weight(time: number): number {
  if (time === 0) return 1;
  if (Math.abs(time) >= FILTER_WIDTH) return 0;
  const window = Math.cos((time * Math.PI) / FILTER_WIDTH / 2) ** 2;
  return (window * Math.sin(time * Math.PI)) / (time * Math.PI);
}

function polyphaseResampler(from: number, to: number, filters: PhaseFilters): Resampler {
  const { taps, weights, firstInput } = filters;
  const firstInputOf = (output: number): number =>
    Math.floor(output / to) * from + (firstInput[output % to] as number);
  return {
    outputLength: (inputLength) => Math.ceil((inputLength * to) / from),
    inputRange: ({ start, end }) =>
      end <= start ? { start: 0, end: 0 } : { start: firstInputOf(start), end: firstInputOf(end - 1) + taps },
    resample: (input, inputStart, { start, end }) => {
      const output = new Float32Array(end - start);
      let phase = start % to;
      // Where this turn of phases begins, counted from the beginning of the part.
      let turn = Math.floor(start / to) * from - inputStart;
      for (let i = 0; i < output.length; i += 1) {
        const first = turn + (firstInput[phase] as number);
        const until = Math.min(taps, input.length - first);
        const base = phase * taps;
        let sum = 0;
        for (let tap = Math.max(0, -first); tap < until; tap += 1) {
          sum += (weights[base + tap] as number) * (input[first + tap] as number);
        }
        output[i] = sum;
        phase += 1;
        if (phase === to) {
          phase = 0;
          turn += from;
        }
      }
      return output;
    },
  };
}

function isRate(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

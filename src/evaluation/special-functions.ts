/**
 * I_x(a, b), the regularized incomplete beta function, for a, b > 0 and x in [0, 1]. It is the distribution function of
 * the beta distribution, and so the tail of the binomial one. Relative error about 1e-12 up to a + b = 1e6.
 * Source: continued fraction of DLMF 8.17.22 by Lentz's method; prefactor after C. Loader, "Fast and accurate
 * computation of binomial probabilities" (2000), as logarithms of gamma functions would cancel for large a and b.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  requirePositive(a, b);
  if (!(x >= 0 && x <= 1)) throw new RangeError(`x must lie in [0, 1], not ${x}`);
  if (x === 0 || x === 1) return x;
  // The fraction converges fast on the near side of the mean only; the other side is the complement.
  if (x > (a + 1) / (a + b + 2)) return 1 - (betaDensityFactor(1 - x, b, a) * betaFraction(1 - x, b, a)) / b;
  return (betaDensityFactor(x, a, b) * betaFraction(x, a, b)) / a;
}

/**
 * The x for which I_x(a, b) = p. Newton's method inside a bracket that bisection keeps shrinking.
 * Relative error about 1e-12.
 */
export function inverseIncompleteBeta(p: number, a: number, b: number): number {
  requirePositive(a, b);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p must lie in [0, 1], not ${p}`);
  if (p === 0 || p === 1) return p;
  let low = 0;
  let high = 1;
  let x = a / (a + b);
  for (let step = 0; step < 200; step += 1) {
    const excess = incompleteBeta(x, a, b) - p;
    if (excess > 0) high = x;
    else low = x;
    const density = betaDensityFactor(x, a, b) / (x * (1 - x));
    const newton = x - excess / density;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 1e-15 * x) return next;
    x = next;
  }
  return x;
}

/**
 * z for which the standard normal distribution function is p, 0 < p < 1. Relative error about 1e-15.
 * Source: M. J. Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`p must lie between 0 and 1, not ${p}`);
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * rational(CENTRAL, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const z = r <= 5 ? rational(MIDDLE, r - 1.6) : rational(FAR, r - 5);
  return q < 0 ? -z : z;
}

/** Coefficients of one branch of AS 241, from the constant term up. */
interface Rational {
  readonly numerator: readonly number[];
  readonly denominator: readonly number[];
}

const CENTRAL: Rational = {
  numerator: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
    67265.7709270087, 33430.57558358813, 2509.0809287301227,
  ],
  denominator: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852546,
  ],
};

const MIDDLE: Rational = {
  numerator: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  denominator: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
};

const FAR: Rational = {
  numerator: [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  denominator: [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
    1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
  ],
};

function rational({ numerator, denominator }: Rational, x: number): number {
  const evaluate = (coefficients: readonly number[]) =>
    coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
  return evaluate(numerator) / evaluate(denominator);
}

/** x^a (1 − x)^b / B(a, b). */
function betaDensityFactor(x: number, a: number, b: number): number {
  const n = a + b;
  const logFactor =
    stirlingError(n) -
    stirlingError(a) -
    stirlingError(b) -
    deviance(a, n * x) -
    deviance(b, n * (1 - x)) +
    0.5 * Math.log((a * b) / (2 * Math.PI * n));
  return Math.exp(logFactor);
}

/** log Γ(z + 1) minus Stirling's approximation (z + ½) log z − z + ½ log 2π. */
function stirlingError(z: number): number {
  let correction = 0;
  let shifted = z;
  // The series is exact to double precision from 16 on; δ(z) − δ(z + 1) = (z + ½) log(1 + 1/z) − 1 leads there.
  for (; shifted < 16; shifted += 1) correction += (shifted + 0.5) * Math.log1p(1 / shifted) - 1;
  const inverse = 1 / shifted;
  const square = inverse * inverse;
  const series =
    1 / 12 -
    square *
      (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188 - (square * 691) / 360360))));
  return correction + inverse * series;
}

/** x log(x / mean) + mean − x without cancellation where x is near the mean. */
function deviance(x: number, mean: number): number {
  const difference = x - mean;
  if (Math.abs(difference) >= 0.1 * (x + mean)) return x * Math.log(x / mean) - difference;
  const v = difference / (x + mean);
  let sum = difference * v;
  let term = 2 * x * v;
  for (let odd = 3; odd < 1000; odd += 2) {
    term *= v * v;
    const next = sum + term / odd;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const guard = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  // The number of terms grows with the square root of a + b: a few hundred at 1e5.
  for (let m = 1; m < 100_000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    const factor = d * c;
    fraction *= factor;
    if (Math.abs(factor - 1) < 1e-16) return fraction;
  }
  throw new RangeError(`the incomplete beta function did not converge at x = ${x}, a = ${a}, b = ${b}`);
}

function requirePositive(a: number, b: number): void {
  if (!(a > 0 && b > 0)) throw new RangeError(`a and b must be positive, not ${a} and ${b}`);
}

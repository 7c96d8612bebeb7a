/** A queue with one server and Poisson arrivals, first come first served. Times are in seconds, or in any one unit. */
export interface PoissonQueue {
  /** λ: arrivals per second. */
  readonly arrivalRate: number;
  /** 1/μ: mean time of service. */
  readonly serviceTime: number;
}

/** ρ = λ/μ, below 1 for a queue that has a steady state. */
function utilization({ arrivalRate, serviceTime }: PoissonQueue): number {
  return arrivalRate * serviceTime;
}

/**
 * The response time (wait and service) that a share `p` of the queries does not exceed where services are exponential:
 * responses are exponential with rate μ - λ.
 * Source: L. Kleinrock, "Queueing Systems", volume 1 (1975), section 5.8.
 */
export function mm1ResponsePercentile(queue: PoissonQueue, p: number): number {
  requireSteadyState(queue);
  return -Math.log1p(-p) / (1 / queue.serviceTime - queue.arrivalRate);
}

/**
 * P[W ≤ x] of the wait before service where every service takes the same time D.
 *
 * Erlang's series of 1909 alternates and loses all digits in the tail. This is Crommelin's argument in the form of
 * Franx: with (k-1)D ≤ x < kD and u = kD - x, it is the sum over j < k of P[j arrivals in u] times P[at most k - j in the
 * system], and every term is positive.
 * Source: G. J. Franx, "A simple solution for the M/D/c waiting time distribution", Operations Research Letters 29 (2001).
 */
export function md1WaitProbability(queue: PoissonQueue, x: number): number {
  requireSteadyState(queue);
  if (x < 0) return 0;
  const { arrivalRate, serviceTime } = queue;
  const k = Math.floor(x / serviceTime) + 1;
  const atMost = cumulated(md1SystemSizes(utilization(queue), k));
  let probability = 0;
  let arrivals = Math.exp(-arrivalRate * (k * serviceTime - x));
  for (let j = 0; j < k; j++) {
    probability += arrivals * (atMost[k - j] as number);
    arrivals *= (arrivalRate * (k * serviceTime - x)) / (j + 1);
  }
  return Math.min(1, probability);
}

/** The response time that a share `p` of the queries does not exceed where every service takes the same time. */
export function md1ResponsePercentile(queue: PoissonQueue, p: number): number {
  let below = 0;
  let above = queue.serviceTime;
  while (md1WaitProbability(queue, above) < p) above *= 2;
  // Fifty halvings leave a relative width of 1e-15.
  for (let step = 0; step < 50; step++) {
    const middle = (below + above) / 2;
    if (md1WaitProbability(queue, middle) < p) below = middle;
    else above = middle;
  }
  // A share 1 - ρ does not wait at all: there the bisection closes in on 0.
  return above + queue.serviceTime;
}

/**
 * P[i in the system] for i = 0 … `largest` in M/D/1, seen by an arrival as at any time.
 *
 * The chain of the numbers left behind by departures moves up from at most n to more than n as often as down:
 * p(n+1) P[A = 0] = p(0) P[A > n] + Σ p(i) P[A > n - i + 1] over i = 1 … n, where A counts the arrivals during a service.
 * All terms are positive, so that nothing cancels up to a utilization of 0.95 and beyond.
 */
function md1SystemSizes(rho: number, largest: number): Float64Array {
  const more = moreThan(rho, largest);
  const none = Math.exp(-rho);
  const sizes = new Float64Array(largest + 1);
  sizes[0] = 1 - rho;
  for (let n = 0; n < largest; n++) {
    let up = (1 - rho) * (more[n] as number);
    for (let i = 1; i <= n; i++) up += (sizes[i] as number) * (more[n - i + 1] as number);
    sizes[n + 1] = up / none;
  }
  return sizes;
}

/** P[A > n] of a Poisson number A with the given mean, for n = 0 … `largest`, summed from the small end. */
function moreThan(mean: number, largest: number): Float64Array {
  const terms = [Math.exp(-mean)];
  while (terms.length <= largest + 1 || (terms.at(-1) as number) > 1e-30) {
    terms.push(((terms.at(-1) as number) * mean) / terms.length);
  }
  const more = new Float64Array(largest + 1);
  let sum = 0;
  for (let n = terms.length - 1; n > 0; n--) {
    sum += terms[n] as number;
    if (n - 1 <= largest) more[n - 1] = sum;
  }
  return more;
}

function cumulated(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}

function requireSteadyState(queue: PoissonQueue): void {
  const rho = utilization(queue);
  if (!(rho > 0 && rho < 1)) throw new RangeError(`a queue at utilization ${rho} has no steady state`);
}

/** A directed edge of a flow network between nodes given by number. */
export interface CapacityEdge {
  readonly from: number;
  readonly to: number;
  /** At least 0; infinite where the two must not be parted that way round. */
  readonly capacity: number;
}

/** Rounding leaves capacities of this size where nothing is left. */
const NOTHING = 1e-6;

/**
 * Parts a network so that the capacities that lead from the source's side to the sink's are least in sum.
 * Where several partings are equally good, the one with most nodes on the source's side is taken.
 * @returns for each node whether it lies on the source's side
 * Source: Dinic, "Algorithm for solution of a problem of maximum flow in networks with power estimation", 1970.
 */
export function minCut(
  nodeCount: number,
  edges: readonly CapacityEdge[],
  source: number,
  sink: number,
): readonly boolean[] {
  // Edge 2i is the given one, edge 2i + 1 the way back.
  const target = edges.flatMap(({ from, to }) => [to, from]);
  const rest = edges.flatMap(({ capacity }) => [capacity, 0]);
  const leaving: number[][] = Array.from({ length: nodeCount }, () => []);
  edges.forEach(({ from, to }, index) => {
    leaving[from]?.push(2 * index);
    leaving[to]?.push(2 * index + 1);
  });
  const hasRest = (edge: number) => (rest[edge] as number) > NOTHING;
  const levels = () => distances(source, leaving, target, hasRest);
  for (let level = levels(); (level[sink] ?? -1) >= 0; level = levels()) {
    const next = new Array<number>(nodeCount).fill(0);
    while (augment(source, sink, { leaving, target, rest, level, next }) > 0);
  }
  // Against the direction of the edges: what can still reach the sink lies on its side.
  return distances(sink, leaving, target, (edge) => hasRest(edge ^ 1)).map((distance) => distance < 0);
}

/** Distance of each node from `start` over edges that are open; -1 where there is no way. */
function distances(
  start: number,
  leaving: readonly (readonly number[])[],
  target: readonly number[],
  isOpen: (edge: number) => boolean,
): number[] {
  const level = new Array<number>(leaving.length).fill(-1);
  level[start] = 0;
  const queue = [start];
  for (const node of queue) {
    for (const edge of leaving[node] ?? []) {
      const to = target[edge] as number;
      if (!isOpen(edge) || level[to] !== -1) continue;
      level[to] = (level[node] as number) + 1;
      queue.push(to);
    }
  }
  return level;
}

interface Search {
  readonly leaving: readonly (readonly number[])[];
  readonly target: readonly number[];
  readonly rest: number[];
  readonly level: readonly number[];
  /** Per node the first of its edges that may still lead on. */
  readonly next: number[];
}

/** Sends flow along one shortest path; returns how much, 0 where none is left. Without recursion, as graphs are deep. */
function augment(source: number, sink: number, { leaving, target, rest, level, next }: Search): number {
  const path: number[] = [];
  let node = source;
  while (node !== sink) {
    const edge = leaving[node]?.[next[node] as number];
    if (edge === undefined) {
      const last = path.pop();
      if (last === undefined) return 0;
      // The way that led here is dead: the node before it tries its next edge.
      node = target[last ^ 1] as number;
      next[node] = (next[node] as number) + 1;
      continue;
    }
    const to = target[edge] as number;
    if ((rest[edge] as number) > NOTHING && level[to] === (level[node] as number) + 1) {
      path.push(edge);
      node = to;
    } else {
      next[node] = (next[node] as number) + 1;
    }
  }
  const flow = Math.min(...path.map((edge) => rest[edge] as number));
  for (const edge of path) {
    rest[edge] = (rest[edge] as number) - flow;
    rest[edge ^ 1] = (rest[edge ^ 1] as number) + flow;
  }
  return flow;
}

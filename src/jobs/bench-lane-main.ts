import { benchLaneMain } from './bench-lane.ts';

await benchLaneMain();
